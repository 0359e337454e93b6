#include "loader/chunk_error.h"

#include <algorithm>

namespace ingot::loader {

ChunkRange chunk_range(const StorageInfo& storage, std::uint64_t chunk_bytes,
                       std::uint64_t number) {
  const std::uint64_t begin = number * chunk_bytes;
  const std::uint64_t end = begin + std::min(chunk_bytes, storage.bytes - begin);
  return {number, storage.chunks, storage.offset + begin, storage.offset + end};
}

namespace {

template <typename Digest>
ErrorBuilder mismatch(std::string_view what, std::string_view path, const ChunkRange& chunk,
                      const Digest& expected, const Digest& found) {
  return make_error(Code::kChecksumMismatch, what)
      .file(path)
      .at(Region::kData, chunk.begin, chunk.end)
      .chunk(chunk.number, chunk.count)
      .expected(to_string(expected))
      .found(to_string(found));
}

}  // namespace

ErrorBuilder checksum_error(std::string_view path, const ChunkRange& chunk,
                            const Digest128& expected, const Digest128& found) {
  return mismatch("F-22: bytes are not those that were written", path, chunk, expected, found);
}

ErrorBuilder checksum_error(std::string_view path, const ChunkRange& chunk, const Sha256& expected,
                            const Sha256& found) {
  return mismatch("F-23: SHA-256 is not that of the bytes that were written", path, chunk, expected,
                  found);
}

ErrorBuilder unreadable_error(std::string_view path, const ChunkRange& chunk, const Status& cause) {
  return make_error(cause.code(), cause.code() == Code::kTruncated
                                      ? "bytes past the end of the file, which became shorter,"
                                      : "bytes could not be read")
      .file(path)
      .at(Region::kData, chunk.begin, chunk.end)
      .chunk(chunk.number, chunk.count)
      .os_error(cause.os_error());
}

}  // namespace ingot::loader
