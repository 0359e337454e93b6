#include "cuda/digest_plan.h"

#include <algorithm>

namespace ingot::gpu {
namespace {

std::uint64_t blocks_to_chain(const DeviceSpan& range) {
  return range.bytes <= xxh3::kShortBytes ? 0 : xxh3::chained_blocks(range.bytes);
}

}  // namespace

DigestBatch DigestPlan::next(std::span<DigestItem> items) {
  DigestBatch batch{.first_range = range_};
  while (range_ < ranges_.size() && batch.items < limits_.items) {
    const DeviceSpan& range = ranges_[range_];
    const std::uint64_t left = blocks_to_chain(range) - block_;
    const std::uint64_t room = std::uint64_t{limits_.groups - batch.groups} * kGroupBlocks;
    if (left > 0 && room == 0) break;
    const std::uint64_t blocks = std::min(left, room);
    DigestItem& item = items[batch.items++];
    item = {.data = reinterpret_cast<const unsigned char*>(range.data),
            .bytes = range.bytes,
            .first_block = block_,
            .blocks = static_cast<std::uint32_t>(blocks),
            .first_group = batch.groups,
            .first_piece = block_ == 0 ? 1u : 0u,
            .last_piece = blocks == left ? 1u : 0u};
    batch.groups += static_cast<std::uint32_t>((blocks + kGroupBlocks - 1) / kGroupBlocks);
    if (blocks < left) {
      block_ += blocks;
      break;
    }
    block_ = 0;
    ++range_;
  }
  return batch;
}

}  // namespace ingot::gpu
