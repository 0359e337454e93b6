// What an open checkpoint is made of. Immutable once open() returned it, so any thread may use it.
#pragma once

#include <cstdint>
#include <memory>

#include "ingot/checkpoint.h"

#include "base/bytes.h"
#include "format/header.h"
#include "format/index_view.h"
#include "io/aligned_buffer.h"
#include "io/file.h"
#include "io/file_system.h"

namespace ingot {

struct Checkpoint::State {
  io::FileSystem* file_system = nullptr;
  std::unique_ptr<io::File> file;
  io::FileStat opened;  // of the file when it was opened

  FileInfo info;
  format::Header header;
  format::HeaderPage header_page{};
  io::AlignedBuffer digest_region;  // begins with the digest table
  io::AlignedBuffer index_region;   // begins with the index
  format::IndexView index;

  std::unique_ptr<io::Mapping> mapping;  // the whole file; null when it could not be mapped
  Status mapping_error;                  // why not

  const std::string& path() const { return info.path; }
  Bytes index_bytes() const {
    return Bytes(index_region.bytes()).first(static_cast<std::size_t>(header.index_bytes));
  }
  Bytes digest_table() const {
    return Bytes(digest_region.bytes()).first(static_cast<std::size_t>(header.digests_bytes));
  }
  StorageInfo storage(std::uint32_t number) const {
    return index.storage(number, info.chunk_bytes);
  }

  // The stored digests of one chunk. REQUIRES: chunk < header.chunk_count().
  Digest128 chunk_digest(std::uint64_t chunk) const;
  // REQUIRES also: header.has_sha256().
  Sha256 chunk_sha256(std::uint64_t chunk) const;

  // kInvalidArgument unless the description's bytes lie within a storage of this file. Its shape
  // and strides are not looked at.
  Status check_own(const TensorInfo& tensor) const;
  // kInvalidArgument: what the description says is not within a tensor of this file.
  Status foreign_description(const TensorInfo& tensor) const;

  // kIoError when length or modification time are no longer those of `before`.
  Status check_unchanged_since(const io::FileStat& before) const;
};

}  // namespace ingot
