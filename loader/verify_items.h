// A file as a sequence of items that are checked as a whole: chunks of data, runs of padding, and
// pieces of metadata. Items tile the file: each begins where the one before it ends.
#pragma once

#include <bit>
#include <cstdint>

#include "base/bytes.h"
#include "loader/checkpoint_state.h"

namespace ingot::loader {

struct Item {
  enum class Kind : std::uint8_t {
    kChunk,    // hashed and compared with the digest table
    kZero,     // must be zero
    kCompare,  // must equal what open() read and proved
  };
  static constexpr std::uint32_t kNoStorage = ~std::uint32_t{0};

  Kind kind = Kind::kZero;
  Region region = Region::kPadding;
  std::uint64_t begin = 0;  // from file start
  std::uint64_t end = 0;
  std::uint32_t storage = kNoStorage;  // kChunk
  std::uint64_t chunk = 0;             // kChunk: number within the storage
  std::uint64_t digest = 0;            // kChunk: its entry in the digest table
  Bytes expected = {};                 // kCompare
};

// Walks the items in file order. Costs no memory: positions are found by binary search in the
// index.
class ItemCursor {
 public:
  explicit ItemCursor(const Checkpoint::State& state)
      : state_(&state), chunk_log2_(std::countr_zero(state.info.chunk_bytes)) {}

  // Goes to the first item that begins at or after `offset`, and says where that is.
  std::uint64_t seek(std::uint64_t offset);
  // The item here; the cursor goes to the next one. False at the end of the file.
  bool next(Item* item);

 private:
  void find_storage(std::uint64_t offset);
  void load_storage(std::int64_t number);
  void next_storage();
  // What is placed like a storage, but is none: before the first and behind the last.
  StorageInfo storage_or_edge(std::int64_t number) const;
  std::uint64_t next_begin() const { return next_.offset; }
  std::uint64_t seek_in_data(std::uint64_t offset);
  void data_item(Item* item);
  void chunk_item(Item* item) const;
  void metadata_item(Item* item) const;

  const Checkpoint::State* state_;
  const int chunk_log2_;
  std::uint64_t position_ = 0;
  // In the data region: the last storage that begins at or before position_, -1 for none; what it
  // is, and the next one. Kept, because reading the index costs as much as hashing a small tensor.
  std::int64_t storage_ = -1;
  StorageInfo here_;
  StorageInfo next_;
};

}  // namespace ingot::loader
