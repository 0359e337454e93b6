// `ingot verify --device`: the bytes of a file, hashed in the memory of a device.
#pragma once

#include "ingot/checkpoint.h"
#include "ingot/device.h"
#include "ingot/verify.h"

namespace ingot::tools {

// Proves header, index and digest table on the host, then brings all storages to the device, a
// window at a time, and hashes them there: what is proven is what arrived. Bytes between storages
// are not looked at. Stops at the first damage, which is in the report; other failures are in the
// Status. Of `options` progress, cancel and threads count.
Result<VerifyReport> verify_on_device(const Checkpoint& checkpoint, Device& device,
                                      const VerifyOptions& options);

}  // namespace ingot::tools
