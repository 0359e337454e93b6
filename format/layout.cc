#include "format/layout.h"

#include "base/error.h"

namespace ingot::format {
namespace {

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
