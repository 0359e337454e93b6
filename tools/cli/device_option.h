// --device: where a command brings bytes.
#pragma once

#include <memory>
#include <string>

#include "ingot/device.h"
#include "ingot/status.h"

namespace ingot::tools {

// "host", "cuda" or "cuda:N". kInvalidArgument for anything else; kUnsupported when this build has
// no CUDA; kDeviceError, kNotFound when there is no such GPU.
Result<std::unique_ptr<Device>> open_device(const std::string& name);

}  // namespace ingot::tools
