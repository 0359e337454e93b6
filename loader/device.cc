#include "ingot/device.h"

#include <string>

#include "base/error.h"

namespace ingot {

std::string_view device_kind_name(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kHost:
      return "host";
    case DeviceKind::kCuda:
      return "cuda";
    case DeviceKind::kOther:
      return "other";
  }
  return "unknown";
}

Status Device::cannot(std::string_view what) const {
  return make_error(Code::kUnsupported, description() + " cannot " + std::string(what));
}

}  // namespace ingot
