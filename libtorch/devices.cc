#include "libtorch/devices.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>

#include "libtorch/error.h"

#if INGOT_LIBTORCH_WITH_CUDA
#include "ingot/cuda.h"
#endif

namespace ingot::libtorch {

std::shared_ptr<Device> default_device([[maybe_unused]] torch::Device device) {
#if INGOT_LIBTORCH_WITH_CUDA
  if (device.is_cuda()) return take(gpu::open_device({.ordinal = device.index()}));
#endif
  return nullptr;
}

torch::Device with_index(torch::Device device) {
  if (device.is_cpu() || device.is_meta() || device.has_index()) return device;
  return c10::impl::VirtualGuardImpl(device.type()).getDevice();
}

void settle(torch::Device device) {
  if (device.is_cpu() || device.is_meta()) return;
  const c10::impl::VirtualGuardImpl guard(device.type());
  guard.synchronizeStream(guard.getStream(device));
}

void settle(const std::unordered_set<torch::Device>& devices) {
  for (const torch::Device& device : devices) settle(device);
}

Device* Devices::of(torch::Device device) {
  if (device.is_cpu()) return &host_device();
  device = with_index(device);
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [&](const Known& known) { return known.device == device; });
  if (found != known_.end()) return found->copies.get();
  known_.push_back({device, provider_ ? provider_(device) : nullptr});
  return known_.back().copies.get();
}

void Devices::settle() const {
  for (const Known& known : known_) libtorch::settle(known.device);
}

}  // namespace ingot::libtorch
