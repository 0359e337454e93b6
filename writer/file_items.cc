#include "writer/file_items.h"

#include <utility>

#include "base/checked.h"
#include "format/constants.h"
#include "format/digest.h"

namespace ingot::writer {
namespace {

FileItem region_item(Region region, std::uint64_t begin, std::uint64_t bytes,
                     const Digest128& digest) {
  return {.begin = begin, .end = begin + bytes, .region = region, .digest = digest};
}

}  // namespace

FileItems::FileItems(const Ledger& ledger, const format::Header& header,
                     const format::HeaderPage& page)
    : ledger_(ledger), header_(header), page_digest_(format::xxh3_128(page)) {}

FileItem FileItems::next() {
  FileItem item = upcoming();
  while (item.begin == item.end) {
    advance();
    item = upcoming();
  }
  if (item.begin > position_) {
    return {.begin = std::exchange(position_, item.begin),
            .end = item.begin,
            .region = Region::kPadding};
  }
  position_ = item.end;
  advance();
  return item;
}

void FileItems::advance() {
  if (stage_ == Stage::kData) {
    if (++chunk_ < chunks()) return;
    chunk_ = 0;
    ++storage_;
  } else {
    stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
  }
  if (stage_ == Stage::kData) skip_empty();
}

// To the next storage that has a chunk, or past the data.
void FileItems::skip_empty() {
  while (storage_ < ledger_.storages().size() && ledger_.storages()[storage_].bytes == 0) {
    ++storage_;
  }
  if (storage_ == ledger_.storages().size()) stage_ = Stage::kDigests;
}

std::uint64_t FileItems::chunks() const {
  return ceil_div(ledger_.storages()[storage_].bytes, ledger_.chunk_bytes());
}

FileItem FileItems::upcoming() const {
  switch (stage_) {
    case Stage::kHeader:
      return region_item(Region::kHeader, 0, format::kPageBytes, page_digest_);
    case Stage::kData:
      return chunk_item();
    case Stage::kDigests:
      return region_item(Region::kDigestTable, header_.digests_offset, header_.digests_bytes,
                         header_.digests_digest);
    case Stage::kIndex:
      return region_item(Region::kIndex, header_.index_offset, header_.index_bytes,
                         header_.index_digest);
    case Stage::kSecondHeader:
    case Stage::kEnd:
      break;
  }
  return region_item(Region::kSecondHeader, header_.second_header_offset(), format::kPageBytes,
                     page_digest_);
}

FileItem FileItems::chunk_item() const {
  const LedgerStorage& storage = ledger_.storages()[storage_];
  const std::uint64_t begin = storage.offset + chunk_ * ledger_.chunk_bytes();
  return {.begin = begin,
          .end = begin + ledger_.bytes_of_chunk(storage, chunk_),
          .region = Region::kData,
          .digest = ledger_.digest(storage.first_chunk + chunk_),
          .storage = static_cast<std::uint32_t>(storage_),
          .chunk = chunk_,
          .chunks = chunks()};
}

}  // namespace ingot::writer
