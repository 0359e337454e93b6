// Trains a small transformer on a text, saves every few steps, and goes on from the newest good
// checkpoint when it is started again.
//
//   train_resume RUN TEXT [--steps 40] [--save-every 10] [--die-in-save-of STEP]
//
// RUN is a folder of checkpoints. With --die-in-save-of the process kills itself (SIGKILL) in the
// middle of that save, as a power cut would; start it again and it resumes. The run that was killed
// ends with the same bits as one that was not: `ingot diff A/step-….ingot B/step-….ingot`.
#include <torch/torch.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "ingot/directory.h"
#include "ingot/libtorch.h"

namespace nn = torch::nn;
using torch::Tensor;

// A decoder over bytes. The output layer is the embedding: tied, as in GPT-2.
struct TransformerImpl : nn::Module {
  static constexpr std::int64_t kVocabulary = 256;
  static constexpr std::int64_t kContext = 32;
  static constexpr std::int64_t kWidth = 32;

  TransformerImpl() {
    embed = register_module("embed", nn::Embedding(kVocabulary, kWidth));
    position = register_parameter("position", 0.02 * torch::randn({kContext, 1, kWidth}));
    for (const char* name : {"layer0", "layer1"}) {
      layers.push_back(register_module(
          name,
          nn::TransformerEncoderLayer(
              nn::TransformerEncoderLayerOptions(kWidth, 4).dim_feedforward(64).dropout(0.1))));
    }
    norm = register_module("norm", nn::LayerNorm(nn::LayerNormOptions({kWidth})));
    head = register_parameter("head", embed->weight);
    mask = register_buffer("mask", torch::full({kContext, kContext}, -1e9).triu(/*diagonal=*/1));
  }

  // Logits [time, batch, vocabulary] for tokens [time, batch].
  Tensor forward(const Tensor& tokens) {
    Tensor x = embed(tokens) + position;
    for (auto& layer : layers) x = layer(x, mask);
    return torch::matmul(norm(x), head.t());
  }

  nn::Embedding embed{nullptr};
  nn::LayerNorm norm{nullptr};
  std::vector<nn::TransformerEncoderLayer> layers;
  Tensor position, head, mask;
};
TORCH_MODULE(Transformer);

struct Arguments {
  std::string run;
  std::string text;
  std::int64_t steps = 40;
  std::int64_t save_every = 10;
  std::int64_t die_in_save_of = -1;
};

// Random windows of the text: inputs and the bytes that follow them.
std::pair<Tensor, Tensor> batch_of(const Tensor& text) {
  constexpr std::int64_t kBatch = 8;
  const Tensor starts = torch::randint(text.size(0) - Transformer::Impl::kContext - 1, {kBatch});
  const Tensor at = starts + torch::arange(Transformer::Impl::kContext).unsqueeze(1);
  return {text.index({at}), text.index({at + 1})};
}

// Weight decay for matrices, none for biases and norms.
torch::optim::AdamW make_optimizer(Transformer& model) {
  using torch::optim::AdamWOptions;
  std::vector<Tensor> decayed;
  std::vector<Tensor> others;
  for (const auto& item : model->named_parameters()) {
    if (item.key() == "head") continue;  // is embed.weight
    (item.value().dim() >= 2 ? decayed : others).push_back(item.value());
  }
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(decayed,
                      std::make_unique<AdamWOptions>(AdamWOptions(3e-3).weight_decay(0.1)));
  groups.emplace_back(others, std::make_unique<AdamWOptions>(AdamWOptions(3e-3).weight_decay(0)));
  return torch::optim::AdamW(groups, AdamWOptions(3e-3));
}

// A callback that kills the process when half of a save is written.
ingot::ProgressCallback die_half_way() {
  return {[](void*, std::uint64_t done, std::uint64_t total) {
            if (2 * done >= total) std::raise(SIGKILL);
          },
          nullptr};
}

void train(const Arguments& arguments, const Tensor& text) {
  torch::manual_seed(1);
  Transformer model;
  torch::optim::AdamW optimizer = make_optimizer(model);
  torch::optim::StepLR scheduler(optimizer, /*step_size=*/15, /*gamma=*/0.5);
  std::int64_t step = 0;
  std::vector<double> losses;

  // All that the run is, named once.
  const auto state = ingot::libtorch::TrainingState()
                         .module("model", model)
                         .optimizer("adamw", optimizer)
                         .scheduler("lr", scheduler)
                         .value("step", step)
                         .value("losses", losses)
                         .rng();

  // Resume from the newest checkpoint that verifies, if there is one.
  std::filesystem::create_directories(arguments.run);
  const ingot::CheckpointDirectory run(arguments.run);
  const auto newest = run.newest();
  if (newest.ok()) {
    for (const auto& skipped : newest->skipped) {
      std::cout << "skipped: " << skipped.status.to_string() << '\n';
    }
    const auto report = ingot::libtorch::load(*newest, state);
    if (!report.absent.empty()) std::cout << report.to_string();
    std::cout << "resumed from " << newest->path << '\n';
  } else if (newest.status().code() != ingot::Code::kNotFound) {
    throw ingot::libtorch::Error(newest.status());
  }

  model->train();
  while (step < arguments.steps) {
    const auto [inputs, targets] = batch_of(text);
    optimizer.zero_grad();
    const Tensor loss =
        nn::functional::cross_entropy(model(inputs).flatten(0, 1), targets.flatten());
    loss.backward();
    optimizer.step();
    scheduler.step();
    losses.push_back(loss.item<double>());
    ++step;
    if (step % arguments.save_every != 0) continue;

    std::cout << "step " << step << ", loss " << losses.back() << std::endl;
    ingot::libtorch::SaveOptions options;
    if (step == arguments.die_in_save_of) options.writer.progress = die_half_way();
    ingot::libtorch::save(run.path_for(static_cast<std::uint64_t>(step)), state, options);
  }
}

Tensor read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  TORCH_CHECK(bytes.size() > 1000, "no text in ", path);
  std::vector<std::int64_t> tokens;
  for (const char byte : bytes) tokens.push_back(static_cast<unsigned char>(byte));
  return torch::tensor(tokens, torch::kLong);
}

bool parse(int argc, char** argv, Arguments& arguments) {
  if (argc < 3 || argc % 2 == 0) return false;
  arguments.run = argv[1];
  arguments.text = argv[2];
  for (int i = 3; i < argc; i += 2) {
    const std::string option = argv[i];
    const std::int64_t value = std::atoll(argv[i + 1]);
    if (option == "--steps") {
      arguments.steps = value;
    } else if (option == "--save-every" && value > 0) {
      arguments.save_every = value;
    } else if (option == "--die-in-save-of") {
      arguments.die_in_save_of = value;
    } else {
      return false;
    }
  }
  return true;
}

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::cerr
        << "usage: train_resume RUN TEXT [--steps N] [--save-every N] [--die-in-save-of STEP]\n";
    return 64;
  }
  // So small a model only waits for more threads, long where others use the processors.
  torch::set_num_threads(1);
  try {
    train(arguments, read_text(arguments.text));
  } catch (const c10::Error& error) {
    std::cerr << error.what_without_backtrace() << '\n';
    return 1;
  }
  return 0;
}
