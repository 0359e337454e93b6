// Saving and resuming a training run (a model and its Adam state) with Ingot and with torch::save:
// bench/training_run.py starts it in a fresh process for every measurement. A line of JSON comes
// out; times are taken inside, around the call.
//
//   bench_training save|resume ingot|torch-cpp MIB FILE   MIB: of parameters and moments together
//   bench_training warm FILE                              brings it into the page cache, proves it
//   bench_training write-ceiling MIB FILE                 the same bytes by O_DIRECT, with fsync
//   bench_training copy-ceiling MIB                       the same bytes from memory to memory
//   bench_training fresh-memory MIB                       memory for the moments, touched
//   bench_training stall cpu|cuda:N host|device MIB FILE    how long save_async() holds up the
//       training, beside a copy of the same bytes to pinned memory (on a CPU: to memory that is
//       there)
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ingot/libtorch.h"

#include "bench/support/commands.h"
#include "bench/support/descriptor.h"
#include "bench/support/direct_io.h"
#include "bench/support/page_cache.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"
#include "io/aligned_buffer.h"

namespace ingot::bench {
namespace {

using nlohmann::json;
using torch::optim::AdamOptions;
using torch::optim::AdamParamState;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// Square layers of 4 MiB, so 12 MiB with their moments.
struct Run {
  explicit Run(std::uint64_t mib) : adam(parameters_of(mib, model), AdamOptions(1e-3)) {}

  static std::vector<torch::Tensor> parameters_of(std::uint64_t mib, torch::nn::Sequential& model) {
    for (std::uint64_t i = 0; i < std::max<std::uint64_t>(mib / 12, 1); ++i) {
      model->push_back(torch::nn::Linear(torch::nn::LinearOptions(1024, 1024).bias(false)));
    }
    return model->parameters();
  }

  // What a training step would leave behind.
  void make_moments() {
    const torch::NoGradGuard no_grad;
    for (const torch::Tensor& parameter : model->parameters()) {
      auto state = std::make_unique<AdamParamState>();
      state->step(10);
      state->exp_avg(torch::rand_like(parameter));
      state->exp_avg_sq(torch::rand_like(parameter));
      adam.state()[parameter.unsafeGetTensorImpl()] = std::move(state);
    }
  }

  libtorch::TrainingState state() {
    return libtorch::TrainingState().module("model", *model).optimizer("adam", adam);
  }

  torch::nn::Sequential model;
  torch::optim::Adam adam;
};

void sync(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  for (const std::string& name : {path, folder.empty() ? std::string(".") : folder}) {
    const Descriptor descriptor(name, O_RDONLY);
    if (fsync(descriptor.get()) != 0) throw_errno("fsync " + name);
  }
}

json result(double seconds, std::uint64_t mib) {
  const std::uint64_t bytes = std::max<std::uint64_t>(mib / 12, 1) * 12 * kMiB;
  return {{"seconds", seconds},
          {"bytes_per_second", static_cast<double>(bytes) / seconds},
          {"peak_rss_bytes", peak_resident_bytes()}};
}

json save(const Arguments& in) {
  const std::uint64_t mib = std::stoull(in.at(1));
  const std::string& path = in.at(2);
  Run run(mib);
  run.make_moments();
  if (in.at(0) == "ingot") return result(time_of([&] { libtorch::save(path, run.state()); }), mib);
  return result(time_of([&] {
                  torch::serialize::OutputArchive all;
                  torch::serialize::OutputArchive model(all.compilation_unit());
                  torch::serialize::OutputArchive adam(all.compilation_unit());
                  run.model->save(model);
                  run.adam.save(adam);
                  all.write("model", model);
                  all.write("adam", adam);
                  all.save_to(path);
                  sync(path);
                }),
                mib);
}

json resume(const Arguments& in) {
  const std::uint64_t mib = std::stoull(in.at(1));
  const std::string& path = in.at(2);
  Run run(mib);
  if (in.at(0) == "ingot") return result(time_of([&] { libtorch::load(path, run.state()); }), mib);
  return result(time_of([&] {
                  torch::serialize::InputArchive all;
                  torch::serialize::InputArchive model;
                  torch::serialize::InputArchive adam;
                  all.load_from(path);
                  all.read("model", model);
                  all.read("adam", adam);
                  run.model->load(model);
                  run.adam.load(adam);
                }),
                mib);
}

// What save_async() has to wait for at least: all bytes, once, by the bus.
double copy_out(const std::vector<torch::Tensor>& tensors) {
  const bool from_gpu = tensors.front().is_cuda();
  std::vector<torch::Tensor> copies;
  for (const torch::Tensor& tensor : tensors) {
    copies.push_back(torch::ones(tensor.sizes(), torch::TensorOptions().pinned_memory(from_gpu)));
  }
  if (from_gpu) torch::cuda::synchronize();
  return time_of([&] {
    for (std::size_t i = 0; i < tensors.size(); ++i) copies[i].copy_(tensors[i], from_gpu);
    if (from_gpu) torch::cuda::synchronize();
  });
}

json stall(const Arguments& in) {
  const std::uint64_t mib = std::stoull(in.at(2));
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> tensors;
  libtorch::TrainingState state;
  for (std::uint64_t i = 0; i < std::max<std::uint64_t>(mib / 4, 1); ++i) {
    tensors.push_back(torch::rand({1024, 1024}, torch::TensorOptions(torch::Device(in.at(0)))));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) state.tensor(std::to_string(i), tensors[i]);
  libtorch::SaveOptions options;
  options.snapshot = in.at(1) == "device" ? libtorch::Snapshot::kDevice : libtorch::Snapshot::kHost;
  json runs = json::array();
  for (int i = 0; i < 3; ++i) {  // the first one allocates what the others find
    const double copied = copy_out(tensors);
    std::optional<libtorch::PendingSave> pending;
    const double held = time_of([&] { pending.emplace(save_async(in.at(3), state, options)); });
    const double until_durable = held + time_of([&] { pending->wait(); });
    runs.push_back({{"stall", held}, {"ceiling", copied}, {"durable", until_durable}});
  }
  return {{"bytes", tensors.size() * 4 * kMiB}, {"runs", runs}};
}

json warm(const Arguments& in) { return {{"warm", make_warm(in.at(0))}}; }

// Memory that is there already, as a model's is.
io::AlignedBuffer touched(std::uint64_t bytes, int value) {
  io::AlignedBuffer buffer = or_throw(io::AlignedBuffer::allocate(bytes));
  std::memset(buffer.data(), value, buffer.size());
  return buffer;
}

json write_ceiling(const Arguments& in) {
  const std::uint64_t mib = std::max<std::uint64_t>(std::stoull(in.at(0)) / 12, 1) * 12;
  const io::AlignedBuffer bytes = touched(mib * kMiB, 1);
  return result(write_direct(in.at(1), bytes.bytes(), {4 * kMiB, 32}), mib);
}

void touch(const torch::Tensor& tensor) {
  auto* bytes = static_cast<std::byte*>(tensor.data_ptr());
  for (std::size_t at = 0; at < tensor.nbytes(); at += 4096) bytes[at] = std::byte{1};
}

// What a resume has to make whoever does it: memory of LibTorch's for the moments, every page of it
// touched.
json fresh_memory(const Arguments& in) {
  const std::uint64_t mib = std::stoull(in.at(0));
  std::vector<torch::Tensor> moments;
  return result(time_of([&] {
                  for (std::uint64_t i = 0; i < 2 * std::max<std::uint64_t>(mib / 12, 1); ++i) {
                    moments.push_back(torch::empty({1024, 1024}));
                    touch(moments.back());
                  }
                }),
                mib);
}

json copy_ceiling(const Arguments& in) {
  const std::uint64_t mib = std::max<std::uint64_t>(std::stoull(in.at(0)) / 12, 1) * 12;
  const io::AlignedBuffer from = touched(mib * kMiB, 1);
  const io::AlignedBuffer to = touched(mib * kMiB, 2);
  const std::size_t half = from.size() / 2;
  return result(time_of([&] {
                  std::thread other([&] {
                    std::memcpy(to.data() + half, from.data() + half, from.size() - half);
                  });
                  std::memcpy(to.data(), from.data(), half);
                  other.join();
                }),
                mib);
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  using namespace ingot::bench;
  return run_command(argc, argv,
                     {{"save", save},
                      {"resume", resume},
                      {"warm", warm},
                      {"write-ceiling", write_ceiling},
                      {"copy-ceiling", copy_ceiling},
                      {"fresh-memory", fresh_memory},
                      {"stall", stall}},
                     "bench/training/main.cc");
}
