#include "bench/training/stall.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include "bench/support/run.h"
#include "bench/training/training_run.h"

namespace ingot::bench {
namespace {

using nlohmann::json;

// Of a process. The memory of the first one's snapshot is new. Later ones find what the allocator
// kept: LibTorch's keeps page-locked memory at once; glibc's gives the first one's back to the
// system and keeps the second one's, so that of three the last is made in memory that is there.
constexpr int kSaves = 3;

std::vector<torch::Tensor> random_tensors(std::uint64_t mib, const torch::Device& device) {
  std::vector<torch::Tensor> tensors;
  for (std::uint64_t i = 0; i < std::max<std::uint64_t>(mib / 4, 1); ++i) {
    tensors.push_back(torch::rand({kSide, kSide}, torch::TensorOptions(device)));
  }
  return tensors;
}

// Memory for a copy of them, every page touched.
std::vector<torch::Tensor> touched_like(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> copies;
  copies.reserve(tensors.size());
  for (const torch::Tensor& tensor : tensors) {
    copies.push_back(
        torch::ones(tensor.sizes(), torch::TensorOptions().pinned_memory(tensor.is_cuda())));
  }
  return copies;
}

// What save_async() has to wait for at least: all bytes, once, by the bus.
double copy_out(const std::vector<torch::Tensor>& tensors, std::vector<torch::Tensor>& copies) {
  const bool from_gpu = tensors.front().is_cuda();
  if (from_gpu) torch::cuda::synchronize();
  return time_of([&] {
    for (std::size_t i = 0; i < tensors.size(); ++i) copies[i].copy_(tensors[i], from_gpu);
    if (from_gpu) torch::cuda::synchronize();
  });
}

// The same by plain code to new memory, which is what a first save does.
double copy_anew(const std::vector<torch::Tensor>& tensors, std::vector<torch::Tensor>* copies) {
  const bool from_gpu = tensors.front().is_cuda();
  return time_of([&] {
    for (const torch::Tensor& tensor : tensors) {
      copies->push_back(
          torch::empty(tensor.sizes(), torch::TensorOptions().pinned_memory(from_gpu)));
      copies->back().copy_(tensor, from_gpu);
    }
    if (from_gpu) torch::cuda::synchronize();
  });
}

// The first call into a library in a process pays for page faults in its code. A few bytes, so that
// no memory is left that a snapshot could be made in.
void warm_up(const std::string& path, const torch::Device& device,
             const libtorch::SaveOptions& options) {
  const std::string tiny = path + ".tiny";
  libtorch::TrainingState state;
  torch::Tensor few = torch::rand({16}, torch::TensorOptions(device));
  state.tensor("few", few);
  save_async(tiny, state, options).wait();
  std::filesystem::remove(tiny);
}

}  // namespace

json stall(const Arguments& in) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> tensors = random_tensors(std::stoull(in.at(2)), in.at(0));
  libtorch::TrainingState state;
  for (std::size_t i = 0; i < tensors.size(); ++i) state.tensor(std::to_string(i), tensors[i]);
  libtorch::SaveOptions options;
  options.snapshot = in.at(1) == "device" ? libtorch::Snapshot::kDevice : libtorch::Snapshot::kHost;
  warm_up(in.at(3), in.at(0), options);
  // Until the end: were it freed before a save, the snapshot would be made in it, warm.
  std::vector<torch::Tensor> copies = touched_like(tensors);
  std::vector<torch::Tensor> others;
  const double copied_anew = copy_anew(tensors, &others);
  json runs = json::array();
  for (int i = 0; i < kSaves; ++i) {
    const double copied = copy_out(tensors, copies);
    std::optional<libtorch::PendingSave> pending;
    const double held = time_of([&] { pending.emplace(save_async(in.at(3), state, options)); });
    const double until_durable = held + time_of([&] { pending->wait(); });
    runs.push_back({{"stall", held},
                    {"ceiling", copied},
                    {"copy_anew", copied_anew},
                    {"durable", until_durable}});
  }
  return {{"bytes", tensors.size() * 4 * kMiB}, {"runs", runs}};
}

}  // namespace ingot::bench
