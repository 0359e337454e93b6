#include "bench/training/stall.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "bench/support/run.h"
#include "bench/training/training_run.h"

namespace ingot::bench {
namespace {

using nlohmann::json;

constexpr int kSaves = 3;  // the first one allocates what the others find

std::vector<torch::Tensor> random_tensors(std::uint64_t mib, const torch::Device& device) {
  std::vector<torch::Tensor> tensors;
  for (std::uint64_t i = 0; i < std::max<std::uint64_t>(mib / 4, 1); ++i) {
    tensors.push_back(torch::rand({kSide, kSide}, torch::TensorOptions(device)));
  }
  return tensors;
}

// What save_async() has to wait for at least: all bytes, once, by the bus.
double copy_out(const std::vector<torch::Tensor>& tensors) {
  const bool from_gpu = tensors.front().is_cuda();
  std::vector<torch::Tensor> copies;
  copies.reserve(tensors.size());
  for (const torch::Tensor& tensor : tensors) {
    copies.push_back(torch::ones(tensor.sizes(), torch::TensorOptions().pinned_memory(from_gpu)));
  }
  if (from_gpu) torch::cuda::synchronize();
  return time_of([&] {
    for (std::size_t i = 0; i < tensors.size(); ++i) copies[i].copy_(tensors[i], from_gpu);
    if (from_gpu) torch::cuda::synchronize();
  });
}

}  // namespace

json stall(const Arguments& in) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> tensors = random_tensors(std::stoull(in.at(2)), in.at(0));
  libtorch::TrainingState state;
  for (std::size_t i = 0; i < tensors.size(); ++i) state.tensor(std::to_string(i), tensors[i]);
  libtorch::SaveOptions options;
  options.snapshot = in.at(1) == "device" ? libtorch::Snapshot::kDevice : libtorch::Snapshot::kHost;
  json runs = json::array();
  for (int i = 0; i < kSaves; ++i) {
    const double copied = copy_out(tensors);
    std::optional<libtorch::PendingSave> pending;
    const double held = time_of([&] { pending.emplace(save_async(in.at(3), state, options)); });
    const double until_durable = held + time_of([&] { pending->wait(); });
    runs.push_back({{"stall", held}, {"ceiling", copied}, {"durable", until_durable}});
  }
  return {{"bytes", tensors.size() * 4 * kMiB}, {"runs", runs}};
}

}  // namespace ingot::bench
