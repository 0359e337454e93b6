// Transfer learning: takes the backbone of a trained model by its name, puts a new head on it,
// trains the head with the backbone frozen, then both with the backbone as a second group, and
// resumes that.
//
//   fine_tune FOLDER
#include <torch/torch.h>

#include <iostream>
#include <string>

#include "ingot/libtorch.h"

namespace nn = torch::nn;
using torch::Tensor;
using torch::optim::AdamOptions;

struct ClassifierImpl : nn::Module {
  explicit ClassifierImpl(std::int64_t classes) {
    backbone = register_module("backbone",
                               nn::Sequential(nn::Linear(8, 16), nn::BatchNorm1d(16), nn::ReLU()));
    head = register_module("head", nn::Linear(16, classes));
  }
  Tensor forward(const Tensor& x) { return head(backbone->forward(x)); }
  nn::Sequential backbone{nullptr};
  nn::Linear head{nullptr};
};
TORCH_MODULE(Classifier);

double train(Classifier& model, torch::optim::Optimizer& optimizer, int steps) {
  double last = 0;
  for (int step = 0; step < steps; ++step) {
    const Tensor x = torch::randn({32, 8});
    const Tensor y = (x.sum(1) > 0).to(torch::kLong);
    optimizer.zero_grad();
    const Tensor loss = nn::functional::cross_entropy(model(x), y);
    loss.backward();
    optimizer.step();
    last = loss.item<double>();
  }
  return last;
}

void run(const std::string& folder) {
  using ingot::libtorch::TrainingState;
  const std::string pretrained = folder + "/pretrained.ingot";
  const std::string tuned = folder + "/tuned.ingot";
  torch::manual_seed(1);

  Classifier teacher(5);
  torch::optim::Adam teachers(teacher->parameters(), AdamOptions(1e-2));
  std::cout << "pretrained: loss " << train(teacher, teachers, 50) << '\n';
  ingot::libtorch::save(pretrained, TrainingState().module("teacher", teacher));

  // The backbone from the file, under another name; the head is new and has another shape.
  Classifier model(2);
  const auto report = ingot::libtorch::load(
      pretrained, TrainingState().module("model", model),
      {.renames = {{"teacher", "model"}},
       .filter = [](std::string_view name) { return name.starts_with("model.backbone."); }});
  std::cout << "backbone: " << report.loaded.size() << " tensors loaded, " << report.filtered.size()
            << " left alone\n";

  for (Tensor& parameter : model->backbone->parameters()) parameter.set_requires_grad(false);
  torch::optim::Adam optimizer(model->head->parameters(), AdamOptions(1e-2));
  std::cout << "head alone: loss " << train(model, optimizer, 50) << '\n';

  for (Tensor& parameter : model->backbone->parameters()) parameter.set_requires_grad(true);
  optimizer.add_param_group(
      {model->backbone->parameters(), std::make_unique<AdamOptions>(AdamOptions(1e-3))});
  std::cout << "both: loss " << train(model, optimizer, 50) << '\n';
  ingot::libtorch::save(tuned,
                        TrainingState().module("model", model).optimizer("adam", optimizer).rng());
  const double next = train(model, optimizer, 1);

  // Another program, later: the same groups, and it goes on where that one was.
  Classifier resumed(2);
  torch::optim::Adam again(resumed->head->parameters(), AdamOptions(1e-2));
  again.add_param_group(
      {resumed->backbone->parameters(), std::make_unique<AdamOptions>(AdamOptions(1e-3))});
  ingot::libtorch::load(tuned,
                        TrainingState().module("model", resumed).optimizer("adam", again).rng());
  TORCH_CHECK(train(resumed, again, 1) == next, "the resumed run differs");
  std::cout << "resumed: the next loss is the same, " << next << '\n';
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fine_tune FOLDER\n";
    return 64;
  }
  try {
    run(argv[1]);
  } catch (const c10::Error& error) {
    std::cerr << error.what_without_backtrace() << '\n';
    return 1;
  }
  return 0;
}
