// Reads that are put off and then done together: few large transfers by several threads, straight
// to where the tensors lie, on whatever device that is.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "ingot/load_plan.h"
#include "ingot/stream.h"

#include "libtorch/devices.h"

namespace ingot::libtorch {

struct TransferOptions {
  Proof proof = Proof::kBefore;
  DeviceProvider devices;
  std::uint64_t staging_bytes = 0;
  int threads = 0;
};

// One thread at a time. The checkpoint must outlive it. Tensors are kept alive until run() is over.
class Transfers {
 public:
  Transfers(const Checkpoint& checkpoint, TransferOptions options);

  // Whether bytes get to this device's memory without LibTorch.
  bool reaches(torch::Device device) { return devices_.of(device) != nullptr; }

  // Puts off reading `info`'s bytes to the begin of `tensor`, which lies in memory as in the file.
  // False, and nothing is put off, when some of that memory is another read's: two threads must not
  // write to one place. REQUIRES: reaches(tensor.device()).
  bool add(const TensorInfo& info, const torch::Tensor& tensor);
  // The same for a whole storage, to new memory.
  void add_storage(const TensorInfo& owner, const torch::Tensor& bytes);
  // One piece of memory for these storages, filled by run(). By number, each as bytes.
  std::vector<std::pair<std::uint32_t, torch::Tensor>> add_slab(
      const std::vector<std::uint32_t>& storages, torch::Device device);

  // Throws Error. Everything has arrived when it returns.
  void run();

 private:
  struct Slab {
    LoadPlan plan;
    torch::Tensor memory;
  };
  Destination destination(const torch::Tensor& tensor, std::uint64_t bytes);
  bool claim(const Destination& destination);

  const Checkpoint& checkpoint_;
  const StreamOptions options_;
  Devices devices_;
  LoadPlan scattered_;
  std::vector<Slab> slabs_;
  std::vector<torch::Tensor> tensors_;
  // What reads have been put off for: end of each range by device and begin.
  std::map<std::pair<const Device*, std::uintptr_t>, std::uintptr_t> claimed_;
};

}  // namespace ingot::libtorch
