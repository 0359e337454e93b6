#include "format/layout.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/checked.h"
#include "base/error.h"

namespace ingot::format {
namespace {

// Offsets are signed in off_t.
constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max();

// Adds `length` to `*offset` and rounds up to a page. False when it would not fit in 63 bits.
bool add_region(std::uint64_t* offset, std::uint64_t length) {
  std::uint64_t end = 0;
  if (!checked_add(*offset, length, &end)) return false;
  const auto aligned = checked_align_up(end, kPageBytes);
  if (!aligned || *aligned > kMaxOffset) return false;
  *offset = *aligned;
  return true;
}

}  // namespace

std::uint64_t storage_alignment(std::uint64_t bytes, std::uint64_t large_alignment) {
  if (bytes >= kLargeStorageBytes) return large_alignment;
  return std::clamp(std::bit_floor(bytes / 16), kMinStorageAlignment, kMaxSmallAlignment);
}

bool DataLayout::place(std::uint64_t bytes, PlacedStorage* placed) {
  const auto offset = checked_align_up(end_, storage_alignment(bytes, large_alignment_));
  std::uint64_t end = 0;
  if (!offset || !checked_add(*offset, bytes, &end) || end > kMaxOffset) return false;
  *placed = {.offset = *offset, .bytes = bytes, .first_chunk = chunks_};
  padding_ += *offset - end_;
  end_ = end;
  chunks_ += ceil_div(bytes, chunk_bytes_);  // at most one a byte: no overflow
  return true;
}

Result<TailLayout> tail_layout(std::uint64_t data_end, std::uint64_t chunks, bool sha256,
                               std::uint64_t index_bytes) {
  const Status too_large = make_error(Code::kRejected, "F-13: offsets do not fit in 63 bits");
  TailLayout tail;
  tail.index_bytes = index_bytes;
  const std::uint64_t entry = sha256 ? kDigestBytes + kSha256Bytes : kDigestBytes;
  if (!checked_mul(chunks, entry, &tail.digests_bytes)) return too_large;
  std::uint64_t offset = data_end;
  if (!add_region(&offset, 0)) return too_large;
  tail.digests_offset = offset;
  if (!add_region(&offset, tail.digests_bytes)) return too_large;
  tail.index_offset = offset;
  if (!add_region(&offset, index_bytes)) return too_large;
  tail.second_header_offset = offset;
  if (!add_region(&offset, kPageBytes)) return too_large;
  tail.file_bytes = offset;
  return tail;
}

}  // namespace ingot::format
