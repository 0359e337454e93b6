// Cuts the digests of many ranges into launches of bounded size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ingot/device.h"

#include "cuda/digest_steps.h"

namespace ingot::gpu {

// What one launch may take. Both at least 1.
struct DigestLimits {
  std::uint32_t items = 0;
  std::uint32_t groups = 0;
};

struct DigestBatch {
  std::uint32_t items = 0;
  std::uint32_t groups = 0;
  std::size_t first_range = 0;  // the range of item 0; the others follow
};

// Hands out ranges in order; one that does not fit continues in the next batch. The ranges must
// outlive it.
class DigestPlan {
 public:
  DigestPlan(std::span<const DeviceSpan> ranges, DigestLimits limits)
      : ranges_(ranges), limits_(limits) {}

  // The next launch's items, written to `items` (limits.items of them); none at the end.
  DigestBatch next(std::span<DigestItem> items);

 private:
  std::span<const DeviceSpan> ranges_;
  DigestLimits limits_;
  std::size_t range_ = 0;
  std::uint64_t block_ = 0;  // chained blocks of ranges_[range_] that earlier batches had
};

}  // namespace ingot::gpu
