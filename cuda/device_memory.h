// Memory of a GPU.
#pragma once

#include <memory>

#include "ingot/device.h"
#include "ingot/status.h"

namespace ingot::gpu {

// kResourceExhausted says how much was asked for, and how much is free.
Result<std::unique_ptr<DeviceBuffer>> allocate_on(int ordinal, std::uint64_t bytes);

// Whether the driver knows the range's first and last byte as memory of that GPU.
Status check_is_on(int ordinal, const DeviceSpan& span);

}  // namespace ingot::gpu
