// Checks the items of one unit against its bytes, which come piece by piece in file order.
#pragma once

#include <cstdint>
#include <optional>

#include "ingot/status.h"

#include "base/bytes.h"
#include "format/digest.h"
#include "loader/chunk_error.h"
#include "loader/verify_errors.h"
#include "loader/verify_items.h"
#include "loader/verify_plan.h"

namespace ingot::loader {

struct ScanOptions {
  bool padding = true;  // zeros are checked too
  bool sha256 = true;   // and SHA-256, where the file has it
};

// One thread at a time; `state` and `errors` must outlive it. Pieces may be cut anywhere: an item
// within one piece is checked in one go, others are hashed as they come.
class UnitScan {
 public:
  UnitScan(const Checkpoint::State& state, const ScanOptions& options, VerifyErrors& errors);

  void begin(const Stretch& unit);
  // The next bytes of the unit.
  void feed(Bytes piece);
  // The next bytes of the unit, and all the rest of its item, cannot be had. Reports and skips the
  // item. REQUIRES: !done().
  void fail(const Status& cause);
  // Forgets what was fed of the item that is not finished, so that it may be fed again.
  void restart_item();

  std::uint64_t position() const { return position_; }  // of the next byte, from file start
  // End of the item that position() is in. REQUIRES: !done().
  std::uint64_t item_end() const { return item_.end; }
  bool done() const { return position_ == unit_.end; }
  // Chunks that were hashed since construction, and their bytes.
  std::uint64_t chunks() const { return chunks_; }
  std::uint64_t chunk_bytes() const { return chunk_bytes_; }

 private:
  void next_item();
  void check_whole(Bytes bytes);
  void check_part(Bytes bytes);
  void finish_chunk(const Digest128& xxh3, const Sha256* sha256);
  ChunkRange range_of_item() const;
  void check_zero(Bytes bytes, std::uint64_t begin);
  void check_equal(Bytes bytes, std::uint64_t begin);
  void add_item_error(ErrorBuilder error);

  const Checkpoint::State& state_;
  VerifyErrors& errors_;
  const bool checks_padding_;
  const bool sha256_;
  ItemCursor cursor_;
  Stretch unit_;
  Item item_;
  std::uint64_t position_ = 0;
  std::uint64_t chunks_ = 0;
  std::uint64_t chunk_bytes_ = 0;
  bool item_failed_ = false;  // one error an item
  std::optional<format::StreamingDigest> digest_;
  std::optional<format::StreamingSha256> sha_digest_;
};

}  // namespace ingot::loader
