// Launching the digest kernels. Implemented by cuda/digest_kernel.cu; tests bring an emulation.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/digest_steps.h"

namespace ingot::gpu {

// Both return at once; the kernels run in `stream`, block sums before chains. The stream's device
// must be current. `launch.groups` may be 0 for chains alone.
cudaError_t launch_block_sums(const DigestLaunch& launch, cudaStream_t stream);
cudaError_t launch_chains(const DigestLaunch& launch, cudaStream_t stream);

}  // namespace ingot::gpu
