// Makes a device the thread's current one, and puts the former one back: unless that has no
// context, which it would get by being made current, and which would cost it hundreds of MiB of
// memory. (So it would be with each of our threads, which begin with device 0, and 0 need not be
// ours.)
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/error.h"
#include "cuda/primary_context.h"

namespace ingot::gpu {

class DeviceGuard {
 public:
  explicit DeviceGuard(int ordinal) {
    status_ = check(cudaGetDevice(&former_), "cudaGetDevice", ordinal);
    if (!status_.ok() || former_ == ordinal) return;
    status_ = check(cudaSetDevice(ordinal), "cudaSetDevice", ordinal);
    changed_ = status_.ok();
  }
  ~DeviceGuard() {
    if (changed_ && may_have_context(former_)) ignore(cudaSetDevice(former_));
  }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

  const Status& status() const { return status_; }

 private:
  Status status_;
  int former_ = 0;
  bool changed_ = false;
};

}  // namespace ingot::gpu
