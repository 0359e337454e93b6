// Host memory that the GPU copies from and to without the processor: staging of our own, and
// memory of others.
#pragma once

#include <memory>
#include <span>

#include "ingot/device.h"
#include "ingot/status.h"

namespace ingot::gpu {

// Page-aligned and page-locked for every device. (cudaHostAlloc promises no page alignment, which
// O_DIRECT needs.)
Result<std::unique_ptr<StagingBuffer>> make_staging(int ordinal, std::uint64_t bytes);

// Page-locks the pages in which the range lies, for reading.
Result<std::unique_ptr<HostRegistration>> register_pages(int ordinal,
                                                         std::span<const std::byte> bytes);

}  // namespace ingot::gpu
