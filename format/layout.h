// Where everything lies: pure arithmetic, shared by writer, validator and tests.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include "ingot/status.h"

#include "base/checked.h"
#include "format/constants.h"

namespace ingot::format {

// Alignment of a storage of `bytes` bytes in a file whose large alignment is `large_alignment`.
inline std::uint64_t storage_alignment(std::uint64_t bytes, std::uint64_t large_alignment) {
  if (bytes >= kLargeStorageBytes) return large_alignment;
  return std::clamp(std::bit_floor(bytes / 16), kMinStorageAlignment, kMaxSmallAlignment);
}

// Offsets are signed in off_t.
inline constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max();

struct PlacedStorage {
  std::uint64_t offset = 0;  // from file start
  std::uint64_t bytes = 0;
  std::uint64_t first_chunk = 0;
};

// Places storages one after another: the one definition of where a storage lies and which digests
// are its.
class DataLayout {
 public:
  // Both are powers of two.
  DataLayout(std::uint64_t chunk_bytes, std::uint64_t large_alignment)
      : chunk_log2_(std::countr_zero(chunk_bytes)), large_alignment_(large_alignment) {}

  // Place of the next storage. False when an offset would not fit in 63 bits.
  [[nodiscard]] bool place(std::uint64_t bytes, PlacedStorage* placed) {
    const auto offset = checked_align_up(end_, storage_alignment(bytes, large_alignment_));
    std::uint64_t end = 0;
    if (!offset || !checked_add(*offset, bytes, &end) || end > kMaxOffset) return false;
    *placed = {.offset = *offset, .bytes = bytes, .first_chunk = chunks_};
    padding_ += *offset - end_;
    end_ = end;
    // Rounded up; `bytes` fits in 63 bits.
    chunks_ += (bytes + (std::uint64_t{1} << chunk_log2_) - 1) >> chunk_log2_;
    return true;
  }

  std::uint64_t end() const { return end_; }  // end of the last storage, from file start
  std::uint64_t chunks() const { return chunks_; }
  std::uint64_t padding() const { return padding_; }  // between storages

 private:
  int chunk_log2_;
  std::uint64_t large_alignment_;
  std::uint64_t end_ = kDataBegin;
  std::uint64_t chunks_ = 0;
  std::uint64_t padding_ = 0;
};

// Regions after the data. All page-aligned but `index_bytes` and `digests_bytes`.
struct TailLayout {
  std::uint64_t digests_offset = 0;
  std::uint64_t digests_bytes = 0;
  std::uint64_t index_offset = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t second_header_offset = 0;
  std::uint64_t file_bytes = 0;
};
// kRejected when an offset would not fit in 63 bits.
Result<TailLayout> tail_layout(std::uint64_t data_end, std::uint64_t chunks, bool sha256,
                               std::uint64_t index_bytes);

}  // namespace ingot::format
