// The Devices that one save or load uses for the memory of LibTorch's devices.
#pragma once

#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ingot/libtorch.h"

namespace ingot::libtorch {

// A device without an index is the current one of its kind: torch::kCUDA and where its tensors lie
// compare as equal then.
torch::Device with_index(torch::Device device);

// Waits for all that the device's current stream has been given: only then may streams that
// LibTorch does not know use the same memory.
void settle(torch::Device device);
void settle(const std::unordered_set<torch::Device>& devices);

// One thread at a time.
class Devices {
 public:
  explicit Devices(DeviceProvider provider) : provider_(std::move(provider)) {}

  // Null when the provider has none. The CPU's is always there.
  Device* of(torch::Device device);

  // settle() for every device that was asked for.
  void settle() const;

 private:
  struct Known {
    torch::Device device;
    std::shared_ptr<Device> copies;
  };
  DeviceProvider provider_;
  std::vector<Known> known_;  // other devices than the CPU
};

}  // namespace ingot::libtorch
