// A second device for LibTorch ("privateuseone") on any machine. Its memory is the host's, but no
// operation of the CPU takes its tensors, and its streams do their work as late as they may: when
// they are waited for.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <memory>

#include "ingot/device.h"
#include "ingot/libtorch.h"

namespace ingot::libtorch::testing {

inline torch::Device accelerator(int index = 0) {
  return {torch::kPrivateUse1, static_cast<c10::DeviceIndex>(index)};
}

// Gives the device's current stream work to do.
void enqueue(torch::Device device, std::function<void()> work);

// How many tensors LibTorch has copied to, from or within accelerators.
int copies_by_torch();

// What was asked of the Devices of a provider.
struct Asked {
  int devices = 0;
  int queues = 0;
  std::uint64_t staging_bytes = 0;  // the most at one time
  std::uint64_t digests = 0;
};

// Gives Devices that bring bytes to the accelerators' memory on threads of their own. One that is
// `broken` has no staging memory.
DeviceProvider accelerator_devices(std::shared_ptr<Asked> asked, bool broken = false);

}  // namespace ingot::libtorch::testing
