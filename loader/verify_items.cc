#include "loader/verify_items.h"

#include <algorithm>
#include <array>

#include "base/checked.h"
#include "loader/chunk_error.h"

namespace ingot::loader {
namespace {

// Metadata is compared in pieces of this size, so that threads share a large index.
constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;

// A region that is compared with private memory, and the zero bytes up to the next one.
struct MetadataRegion {
  Region region;
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t padding_end;
  Bytes bytes;
};

std::array<MetadataRegion, 3> metadata_regions(const Checkpoint::State& state) {
  const format::Header& header = state.header;
  return {
      {{Region::kDigestTable, header.digests_offset, header.digests_offset + header.digests_bytes,
        header.index_offset, state.digest_table()},
       {Region::kIndex, header.index_offset, header.index_offset + header.index_bytes,
        header.second_header_offset(), state.index_bytes()},
       {Region::kSecondHeader, header.second_header_offset(), header.file_bytes, header.file_bytes,
        state.header_page}}};
}

}  // namespace

std::uint64_t ItemCursor::seek(std::uint64_t offset) {
  const format::Header& header = state_->header;
  if (offset == 0) return position_ = 0;
  if (offset <= format::kDataBegin)
    return storage_ = -1, position_ = seek_in_data(format::kDataBegin);
  if (offset < header.digests_offset) return position_ = seek_in_data(offset);
  for (const MetadataRegion& part : metadata_regions(*state_)) {
    if (offset <= part.end) {
      const std::uint64_t inside = ceil_div(offset - part.begin, kPieceBytes) * kPieceBytes;
      return position_ = std::min(part.begin + inside, part.end);
    }
    if (offset <= part.padding_end) return position_ = part.padding_end;
  }
  return position_ = header.file_bytes;
}

void ItemCursor::find_storage(std::uint64_t offset) {
  const auto found = state_->index.storage_at(offset);
  storage_ = found ? static_cast<std::int64_t>(*found) : -1;
}

std::uint64_t ItemCursor::next_storage_begin() const {
  const std::int64_t next = storage_ + 1;
  if (next >= static_cast<std::int64_t>(state_->index.storage_count())) {
    return state_->header.digests_offset;
  }
  return state_->storage(static_cast<std::uint32_t>(next)).offset;
}

std::uint64_t ItemCursor::seek_in_data(std::uint64_t offset) {
  find_storage(offset);
  if (storage_ < 0) return offset == format::kDataBegin ? offset : next_storage_begin();
  const StorageInfo info = storage();
  const std::uint64_t end = info.offset + info.bytes;
  if (offset < end) {
    const std::uint64_t chunk_bytes = state_->info.chunk_bytes;
    const std::uint64_t inside = ceil_div(offset - info.offset, chunk_bytes) * chunk_bytes;
    return info.offset + std::min(inside, info.bytes);
  }
  return offset == end ? end : next_storage_begin();
}

bool ItemCursor::next(Item* item) {
  const format::Header& header = state_->header;
  if (position_ == 0) {
    *item = {Item::Kind::kCompare, Region::kHeader, 0, format::kPageBytes, Item::kNoStorage, 0,
             state_->header_page};
    storage_ = -1;
  } else if (position_ < header.digests_offset) {
    data_item(item);
  } else if (position_ < header.file_bytes) {
    metadata_item(item);
  } else {
    return false;
  }
  position_ = item->end;
  return true;
}

void ItemCursor::data_item(Item* item) {
  // Storages without bytes make no item.
  while (next_storage_begin() <= position_) ++storage_;
  if (storage_ >= 0) {
    const StorageInfo info = storage();
    if (position_ < info.offset + info.bytes) {
      const std::uint64_t chunk = (position_ - info.offset) / state_->info.chunk_bytes;
      const ChunkRange range = chunk_range(info, state_->info.chunk_bytes, chunk);
      *item = {Item::Kind::kChunk,
               Region::kData,
               range.begin,
               range.end,
               static_cast<std::uint32_t>(storage_),
               chunk,
               {}};
      return;
    }
  }
  *item = {Item::Kind::kZero,
           Region::kPadding,
           position_,
           next_storage_begin(),
           Item::kNoStorage,
           0,
           {}};
}

void ItemCursor::metadata_item(Item* item) const {
  for (const MetadataRegion& part : metadata_regions(*state_)) {
    if (position_ < part.end) {
      const std::uint64_t end = std::min(position_ + kPieceBytes, part.end);
      *item = {Item::Kind::kCompare,
               part.region,
               position_,
               end,
               Item::kNoStorage,
               0,
               part.bytes.subspan(static_cast<std::size_t>(position_ - part.begin),
                                  static_cast<std::size_t>(end - position_))};
      return;
    }
    if (position_ < part.padding_end) {
      *item = {Item::Kind::kZero,
               Region::kPadding,
               position_,
               part.padding_end,
               Item::kNoStorage,
               0,
               {}};
      return;
    }
  }
}

}  // namespace ingot::loader
