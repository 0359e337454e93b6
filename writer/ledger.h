// The ledger of bytes received: which parts of which chunk have come, and the digests so far.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ingot/digest.h"
#include "ingot/status.h"

#include "base/bytes.h"
#include "format/digest.h"

namespace ingot::writer {

// Digests of one chunk whose bytes come in parts.
class ChunkDigests {
 public:
  explicit ChunkDigests(bool sha256);
  void update(Bytes bytes);
  Digest128 xxh3() const { return xxh3_.finish(); }
  Sha256 sha256() { return sha256_->finish(); }

 private:
  format::StreamingDigest xxh3_;
  std::optional<format::StreamingSha256> sha256_;
};

// A storage as the ledger knows it.
struct LedgerStorage {
  std::uint64_t offset = 0;  // from file start
  std::uint64_t bytes = 0;
  std::uint64_t first_chunk = 0;    // in the digest table
  std::uint64_t padding_after = 0;  // bytes up to the next storage, or to the digest table
};

// Thread-safe: parts of different chunks from any threads at once. A chunk belongs to the thread
// that claimed it until that thread says what it received.
class Ledger {
 public:
  // kResourceExhausted when there is no memory for its columns: 20 bytes a chunk, 52 with SHA-256.
  static Result<std::unique_ptr<Ledger>> create(std::vector<LedgerStorage> storages,
                                                std::uint64_t chunks, std::uint64_t chunk_bytes,
                                                bool sha256);

  std::span<const LedgerStorage> storages() const { return storages_; }
  std::uint64_t chunk_bytes() const { return chunk_bytes_; }
  bool has_sha256() const { return sha256_; }
  // Length of chunk `chunk` of a storage, counted from 0.
  std::uint64_t bytes_of_chunk(const LedgerStorage& storage, std::uint64_t chunk) const;

  // Takes [offset, offset + length) of a storage for the caller, who will receive() every chunk of
  // it. kInvalidArgument when it is outside of the storage, when a byte of it was claimed before,
  // or when it begins where it must not (writer.h). After an error nothing more may be claimed.
  Status claim(std::uint32_t storage, std::uint64_t offset, std::uint64_t length,
               std::string_view path);

  // The digests of a claimed chunk whose bytes come in parts: those of its earlier parts, if any.
  std::unique_ptr<ChunkDigests> take_digests(std::uint64_t table_chunk);
  // `bytes` more of a claimed chunk have come; the chunk is not full yet.
  void receive_part(std::uint64_t table_chunk, std::uint64_t bytes,
                    std::unique_ptr<ChunkDigests> digests);
  // All of a claimed chunk has come. `sha256` is ignored unless it is asked for.
  void receive_last(std::uint64_t table_chunk, std::uint64_t bytes, const Digest128& xxh3,
                    const Sha256& sha256);

  // Storages that are not complete, at most `limit` of them. REQUIRES: no chunk is claimed.
  std::vector<std::uint32_t> missing(std::size_t limit) const;

  // The digest table and its columns. REQUIRES: missing() is empty.
  const Digest128& digest(std::uint64_t table_chunk) const { return xxh3_column_[table_chunk]; }
  Bytes xxh3_column() const { return std::as_bytes(std::span(xxh3_column_.get(), chunks_)); }
  Bytes sha256_column() const {
    return std::as_bytes(std::span(sha256_column_.get(), sha256_ ? chunks_ : 0));
  }

 private:
  Ledger(std::vector<LedgerStorage> storages, std::uint64_t chunks, std::uint64_t chunk_bytes,
         bool sha256);
  // Whether there was memory.
  bool allocate_columns();
  Status claim_chunk(std::uint64_t table_chunk, std::uint64_t begin, std::uint64_t chunk,
                     std::string_view path);

  std::vector<LedgerStorage> storages_;
  std::uint64_t chunks_;
  std::uint64_t chunk_bytes_;
  bool sha256_;
  // Bytes received of each chunk; kClaimed set while a thread works on it. A chunk has at most
  // 2^30.
  static constexpr std::uint32_t kClaimed = std::uint32_t{1} << 31;
  std::unique_ptr<std::atomic<std::uint32_t>[]> received_;
  std::unique_ptr<Digest128[]> xxh3_column_;
  std::unique_ptr<Sha256[]> sha256_column_;  // null unless asked for
  std::mutex mutex_;                         // of open_
  std::unordered_map<std::uint64_t, std::unique_ptr<ChunkDigests>> open_;
};

}  // namespace ingot::writer
