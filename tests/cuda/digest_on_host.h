// The digest kernels without a GPU: the same steps, with loops instead of threads.
#pragma once

#include "cuda/digest_steps.h"

namespace ingot::gpu::testing {

// What the two kernels do. Pointers in `launch` and in its items are the host's.
void block_sums_on_host(const DigestLaunch& launch);
void chains_on_host(const DigestLaunch& launch);

}  // namespace ingot::gpu::testing
