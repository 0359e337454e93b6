#include "cuda/primary_context.h"

#include <cuda_runtime_api.h>

#include "cuda/error.h"

namespace ingot::gpu {
namespace {

// Of the driver; the runtime has no such question.
using GetState = int (*)(int device, unsigned int* flags, int* active);

#if CUDART_VERSION >= 12000
GetState find_get_state() {
  constexpr char kName[] = "cuDevicePrimaryCtxGetState";
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
#if CUDART_VERSION >= 12050
  constexpr unsigned int kSince = 7000;  // CUDA 7.0
  const cudaError_t error =
      cudaGetDriverEntryPointByVersion(kName, &function, kSince, cudaEnableDefault, &found);
#else
  const cudaError_t error = cudaGetDriverEntryPoint(kName, &function, cudaEnableDefault, &found);
#endif
  if (error != cudaSuccess) {
    ignore(error);
    return nullptr;
  }
  return found == cudaDriverEntryPointSuccess ? reinterpret_cast<GetState>(function) : nullptr;
}
#else
// Before CUDA 12 it does no harm to make a device current: its context is made by the first use.
GetState find_get_state() { return nullptr; }
#endif

}  // namespace

bool may_have_context(int ordinal) {
  const GetState get_state = find_get_state();
  unsigned int flags = 0;
  int active = 1;
  return get_state == nullptr || get_state(ordinal, &flags, &active) != 0 || active != 0;
}

}  // namespace ingot::gpu
