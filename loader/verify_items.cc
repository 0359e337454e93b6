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
  if (offset <= format::kDataBegin) return position_ = seek_in_data(format::kDataBegin);
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
  load_storage(found ? static_cast<std::int64_t>(*found) : -1);
}

void ItemCursor::load_storage(std::int64_t number) {
  storage_ = number;
  here_ = storage_or_edge(number);
  next_ = storage_or_edge(number + 1);
}

void ItemCursor::next_storage() {
  ++storage_;
  here_ = next_;
  next_ = storage_or_edge(storage_ + 1);
}

StorageInfo ItemCursor::storage_or_edge(std::int64_t number) const {
  if (number < 0) return {};
  if (number < static_cast<std::int64_t>(state_->index.storage_count())) {
    return state_->storage(static_cast<std::uint32_t>(number));
  }
  StorageInfo end;
  end.offset = state_->header.digests_offset;
  return end;
}

std::uint64_t ItemCursor::seek_in_data(std::uint64_t offset) {
  find_storage(offset);
  if (storage_ < 0) return offset == format::kDataBegin ? offset : next_begin();
  const std::uint64_t end = here_.offset + here_.bytes;
  if (offset < end) {
    const std::uint64_t inside = align_up(offset - here_.offset, state_->info.chunk_bytes);
    return here_.offset + std::min(inside, here_.bytes);
  }
  return offset == end ? end : next_begin();
}

bool ItemCursor::next(Item* item) {
  const format::Header& header = state_->header;
  if (position_ == 0) {
    *item = {.kind = Item::Kind::kCompare,
             .region = Region::kHeader,
             .begin = 0,
             .end = format::kPageBytes,
             .expected = state_->header_page};
    load_storage(-1);
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
  while (next_begin() <= position_) next_storage();
  if (storage_ >= 0 && position_ < here_.offset + here_.bytes) return chunk_item(item);
  *item = {};
  item->begin = position_;
  item->end = next_begin();
}

void ItemCursor::chunk_item(Item* item) const {
  const std::uint64_t chunk = (position_ - here_.offset) >> chunk_log2_;
  const std::uint64_t begin = chunk << chunk_log2_;
  item->kind = Item::Kind::kChunk;
  item->region = Region::kData;
  item->begin = here_.offset + begin;
  item->end = item->begin + std::min(state_->info.chunk_bytes, here_.bytes - begin);
  item->storage = static_cast<std::uint32_t>(storage_);
  item->chunk = chunk;
  item->digest = here_.first_chunk + chunk;
}

void ItemCursor::metadata_item(Item* item) const {
  for (const MetadataRegion& part : metadata_regions(*state_)) {
    if (position_ < part.end) {
      const std::uint64_t end = std::min(position_ + kPieceBytes, part.end);
      *item = {.kind = Item::Kind::kCompare,
               .region = part.region,
               .begin = position_,
               .end = end,
               .expected = part.bytes.subspan(static_cast<std::size_t>(position_ - part.begin),
                                              static_cast<std::size_t>(end - position_))};
      return;
    }
    if (position_ < part.padding_end) {
      *item = {.begin = position_, .end = part.padding_end};
      return;
    }
  }
}

}  // namespace ingot::loader
