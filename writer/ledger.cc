#include "writer/ledger.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/error.h"

namespace ingot::writer {
namespace {

ErrorBuilder invalid(std::string_view path, std::string_view what) {
  return make_error(Code::kInvalidArgument, what).file(path).at(Region::kData);
}

}  // namespace

ChunkDigests::ChunkDigests(bool sha256) {
  if (sha256) sha256_.emplace();
}

void ChunkDigests::update(Bytes bytes) {
  xxh3_.update(bytes);
  if (sha256_) sha256_->update(bytes);
}

Ledger::Ledger(std::vector<LedgerStorage> storages, std::uint64_t chunks, std::uint64_t chunk_bytes,
               bool sha256)
    : storages_(std::move(storages)), chunks_(chunks), chunk_bytes_(chunk_bytes), sha256_(sha256) {}

Result<std::unique_ptr<Ledger>> Ledger::create(std::vector<LedgerStorage> storages,
                                               std::uint64_t chunks, std::uint64_t chunk_bytes,
                                               bool sha256) {
  std::unique_ptr<Ledger> ledger(new Ledger(std::move(storages), chunks, chunk_bytes, sha256));
  if (ledger->allocate_columns()) return ledger;
  return make_error(Code::kResourceExhausted, "no memory for the digests of all chunks")
      .found(std::to_string(chunks) + " chunks of " + human_bytes(chunk_bytes));
}

// A vector that finds no memory ends the program, and these grow with the data.
bool Ledger::allocate_columns() {
  received_.reset(new (std::nothrow) std::atomic<std::uint32_t>[chunks_]());
  if (received_ != nullptr) xxh3_column_.reset(new (std::nothrow) Digest128[chunks_]());
  if (xxh3_column_ == nullptr || !sha256_) return xxh3_column_ != nullptr;
  sha256_column_.reset(new (std::nothrow) Sha256[chunks_]());
  return sha256_column_ != nullptr;
}

std::uint64_t Ledger::bytes_of_chunk(const LedgerStorage& storage, std::uint64_t chunk) const {
  return std::min(chunk_bytes_, storage.bytes - chunk * chunk_bytes_);
}

Status Ledger::claim(std::uint32_t storage, std::uint64_t offset, std::uint64_t length,
                     std::string_view path) {
  const LedgerStorage& s = storages_[storage];
  if (!range_in(offset, length, s.bytes)) {
    return invalid(path, "bytes outside of their storage")
        .expected("at most " + std::to_string(s.bytes) + " bytes")
        .found(std::to_string(length) + " at " + std::to_string(offset));
  }
  for (std::uint64_t done = 0; done < length;) {
    const std::uint64_t chunk = (offset + done) / chunk_bytes_;
    const std::uint64_t begin = (offset + done) % chunk_bytes_;
    const std::uint64_t size = bytes_of_chunk(s, chunk);
    INGOT_RETURN_IF_ERROR(claim_chunk(s.first_chunk + chunk, begin, chunk, path));
    done += std::min(size - begin, length - done);
  }
  return {};
}

Status Ledger::claim_chunk(std::uint64_t table_chunk, std::uint64_t begin, std::uint64_t chunk,
                           std::string_view path) {
  auto expected = static_cast<std::uint32_t>(begin);
  if (received_[table_chunk].compare_exchange_strong(expected, expected | kClaimed,
                                                     std::memory_order_acq_rel)) {
    return {};
  }
  const std::string where = "chunk " + std::to_string(chunk) + ": ";
  if ((expected & kClaimed) != 0) {
    return invalid(path, where + "two parts are being written at once");
  }
  if (expected > begin) {
    return invalid(path, where + "bytes written twice: a part begins before the end of another")
        .expected(expected)
        .found(begin);
  }
  return invalid(path, where + "a part begins neither at the chunk nor where an earlier part ended")
      .expected(expected)
      .found(begin);
}

std::unique_ptr<ChunkDigests> Ledger::take_digests(std::uint64_t table_chunk) {
  {
    const std::lock_guard lock(mutex_);
    if (auto found = open_.find(table_chunk); found != open_.end()) {
      auto digests = std::move(found->second);
      open_.erase(found);
      return digests;
    }
  }
  return std::make_unique<ChunkDigests>(sha256_);
}

void Ledger::receive_part(std::uint64_t table_chunk, std::uint64_t bytes,
                          std::unique_ptr<ChunkDigests> digests) {
  {
    const std::lock_guard lock(mutex_);
    open_[table_chunk] = std::move(digests);
  }
  const std::uint32_t before = received_[table_chunk].load(std::memory_order_relaxed) & ~kClaimed;
  received_[table_chunk].store(before + static_cast<std::uint32_t>(bytes),
                               std::memory_order_release);
}

void Ledger::receive_last(std::uint64_t table_chunk, std::uint64_t bytes, const Digest128& xxh3,
                          const Sha256& sha256) {
  xxh3_column_[table_chunk] = xxh3;
  if (sha256_) sha256_column_[table_chunk] = sha256;
  const std::uint32_t before = received_[table_chunk].load(std::memory_order_relaxed) & ~kClaimed;
  received_[table_chunk].store(before + static_cast<std::uint32_t>(bytes),
                               std::memory_order_release);
}

std::vector<std::uint32_t> Ledger::missing(std::size_t limit) const {
  std::vector<std::uint32_t> missing;
  for (std::uint32_t i = 0; i < storages_.size() && missing.size() < limit; ++i) {
    const LedgerStorage& storage = storages_[i];
    const std::uint64_t chunks = ceil_div(storage.bytes, chunk_bytes_);
    for (std::uint64_t chunk = 0; chunk < chunks; ++chunk) {
      if (received_[storage.first_chunk + chunk].load(std::memory_order_acquire) ==
          bytes_of_chunk(storage, chunk)) {
        continue;
      }
      missing.push_back(i);
      break;
    }
  }
  return missing;
}

}  // namespace ingot::writer
