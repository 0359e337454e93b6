#include "cuda/error.h"

#include "base/error.h"

namespace ingot::gpu {

std::string device_name(int ordinal) { return "cuda:" + std::to_string(ordinal); }

std::string error_text(cudaError_t error) {
  return std::string(cudaGetErrorName(error)) + " (" + cudaGetErrorString(error) + ")";
}

// Those of which the runtime's documentation says that the process must be terminated.
bool ends_context(cudaError_t error) {
  return error == cudaErrorIllegalAddress || error == cudaErrorLaunchTimeout ||
         error == cudaErrorContextIsDestroyed || error == cudaErrorAssert ||
         error == cudaErrorHardwareStackError || error == cudaErrorIllegalInstruction ||
         error == cudaErrorMisalignedAddress || error == cudaErrorInvalidAddressSpace ||
         error == cudaErrorInvalidPc || error == cudaErrorLaunchFailure ||
         error == cudaErrorECCUncorrectable || error == cudaErrorNvlinkUncorrectable;
}

Status check(cudaError_t error, std::string_view call, int ordinal) {
  if (error == cudaSuccess) return {};
  ignore(error);
  const Code code =
      error == cudaErrorMemoryAllocation ? Code::kResourceExhausted : Code::kDeviceError;
  std::string what(call);
  what += " on " + device_name(ordinal) + " failed: " + error_text(error);
  ErrorBuilder builder = make_error(code, what);
  if (ends_context(error)) {
    builder.advice("the CUDA context is lost: the process must be started anew");
  }
  return builder;
}

void ignore(cudaError_t error) {
  if (error != cudaSuccess) static_cast<void>(cudaGetLastError());
}

}  // namespace ingot::gpu
