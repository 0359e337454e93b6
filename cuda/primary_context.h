// Whether the CUDA runtime holds a context on a device.
#pragma once

namespace ingot::gpu {

// False only when it is known that the device has no primary context yet. Creates none.
bool may_have_context(int ordinal);

}  // namespace ingot::gpu
