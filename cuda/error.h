// The CUDA runtime's errors as Status.
#pragma once

#include <cuda_runtime_api.h>

#include <string>
#include <string_view>

#include "ingot/status.h"

namespace ingot::gpu {

// "cuda:1"
std::string device_name(int ordinal);

// "cudaErrorIllegalAddress (an illegal memory access was encountered)"
std::string error_text(cudaError_t error);

// Whether the CUDA context is lost with it: every later call fails, in the whole process.
bool ends_context(cudaError_t error);

// OK, or what `call` on that device came to. Also resets the runtime's last error, so that nobody
// else finds it: kDeviceError, or kResourceExhausted when memory is what was lacking.
Status check(cudaError_t error, std::string_view call, int ordinal);

// Where an error cannot be reported: in destructors, and after another one.
void ignore(cudaError_t error);

}  // namespace ingot::gpu
