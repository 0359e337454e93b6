#include "loader/transfer_proof.h"

#include <algorithm>

namespace ingot::loader {

void TransferProof::begin(const Transfer& transfer, std::span<const Stretch> ranges) {
  ranges_ = ranges;
  begun_ = false;
  position_ = transfer.begin;
}

void TransferProof::feed(Bytes bytes) {
  const std::uint64_t end = position_ + bytes.size();
  while (!ranges_.empty() && ranges_.front().begin < end) {
    const Stretch& range = ranges_.front();
    if (!begun_) scan_.begin(range);
    begun_ = true;
    const std::uint64_t from = std::max(position_, range.begin);
    const std::uint64_t to = std::min(end, range.end);
    scan_.feed(bytes.subspan(static_cast<std::size_t>(from - position_),
                             static_cast<std::size_t>(to - from)));
    if (to < range.end) break;
    ranges_ = ranges_.subspan(1);
    begun_ = false;
  }
  position_ = end;
}

}  // namespace ingot::loader
