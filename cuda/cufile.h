// Files that a GPU reads itself, by cuFile.
#pragma once

#include <memory>

#include "ingot/device.h"
#include "ingot/status.h"

namespace ingot::gpu {

// `descriptor` is open with O_DIRECT and stays open. kUnsupported, with the reason, where cuFile,
// its driver, the file system or the GPU does not do it.
Result<std::unique_ptr<DeviceFile>> open_cufile(int ordinal, int descriptor);

}  // namespace ingot::gpu
