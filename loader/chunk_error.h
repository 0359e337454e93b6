// The error for a chunk whose bytes are not those that were written.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "loader/checkpoint_state.h"

namespace ingot::loader {

// A chunk of a storage: number, and where it lies.
struct ChunkRange {
  std::uint64_t number = 0;  // within its storage
  std::uint64_t count = 0;   // chunks of the storage
  std::uint64_t begin = 0;   // from file start
  std::uint64_t end = 0;

  std::uint64_t bytes() const { return end - begin; }
};

// REQUIRES: number < storage.chunks.
ChunkRange chunk_range(const StorageInfo& storage, std::uint64_t chunk_bytes, std::uint64_t number);

// Says "kChecksumMismatch, file, region, chunk, range, expected, found"; the caller adds the
// tensor.
ErrorBuilder checksum_error(std::string_view path, const ChunkRange& chunk,
                            const Digest128& expected, const Digest128& found);
ErrorBuilder checksum_error(std::string_view path, const ChunkRange& chunk, const Sha256& expected,
                            const Sha256& found);

// The same for a chunk of which `cause` says why it could not be read. Keeps code and errno.
ErrorBuilder unreadable_error(std::string_view path, const ChunkRange& chunk, const Status& cause);

}  // namespace ingot::loader
