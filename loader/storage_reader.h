// Reads any byte range of a storage by read(2), hashing every chunk that it touches.
#pragma once

#include <cstdint>
#include <string_view>

#include "ingot/checkpoint.h"
#include "ingot/status.h"

#include "base/bytes.h"
#include "io/aligned_buffer.h"
#include "loader/checkpoint_state.h"

namespace ingot::loader {

// Whole chunks go straight to their destination and are hashed there. Of a chunk that is wanted in
// part, all is read and hashed in a buffer of the reader's own; the last two such chunks are kept,
// because slices come back to them. So memory is bounded by two chunks, whatever is read. One
// thread at a time; `state` must outlive it.
class StorageReader {
 public:
  StorageReader(const Checkpoint::State& state, std::uint32_t storage, Verify verify,
                std::string_view owner);

  // Copies [begin, begin + destination.size()) of the storage. REQUIRES: it has these bytes. Errors
  // are read()'s.
  Status copy(std::uint64_t begin, MutableBytes destination);

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  struct Block {
    io::AlignedBuffer memory;
    std::uint64_t number = kNone;
    std::uint64_t bytes = 0;
  };

  std::uint64_t block_end(std::uint64_t number) const;
  Result<const Block*> load(std::uint64_t number);
  // Reads one block, or, when not verifying, any range, and checks it.
  Status read_checked(std::uint64_t begin, MutableBytes destination);
  Status check(std::uint64_t chunk, Bytes bytes) const;

  const Checkpoint::State& state_;
  const StorageInfo storage_;
  const Verify verify_;
  const std::string_view owner_;
  const std::uint64_t block_bytes_;  // chunks, or when not verifying what is worth reading at once
  const int block_log2_;
  Block blocks_[2];
  int newest_ = 0;
};

}  // namespace ingot::loader
