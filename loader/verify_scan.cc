#include "loader/verify_scan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "loader/chunk_error.h"

namespace ingot::loader {

UnitScan::UnitScan(const Checkpoint::State& state, const ScanOptions& options, VerifyErrors& errors)
    : state_(state),
      errors_(errors),
      checks_padding_(options.padding),
      sha256_(options.sha256 && state.header.has_sha256()),
      cursor_(state) {}

void UnitScan::begin(const Stretch& unit) {
  unit_ = unit;
  position_ = cursor_.seek(unit.begin);  // where it is already: units begin with an item
  if (!done()) next_item();
}

void UnitScan::next_item() {
  item_failed_ = false;
  digest_.reset();
  sha_digest_.reset();
  if (!cursor_.next(&item_)) item_.end = unit_.end;
}

void UnitScan::feed(Bytes piece) {
  while (!piece.empty()) {
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), item_.end - position_));
    const Bytes bytes = piece.first(n);
    if (position_ == item_.begin && n == item_.end - item_.begin) {
      check_whole(bytes);
    } else {
      check_part(bytes);
    }
    position_ += n;
    piece = piece.subspan(n);
    if (position_ == item_.end && !done()) next_item();
  }
}

void UnitScan::check_whole(Bytes bytes) {
  switch (item_.kind) {
    case Item::Kind::kChunk: {
      if (!sha256_) return finish_chunk(format::xxh3_128(bytes), nullptr);
      const Sha256 sha = format::sha256(bytes);
      return finish_chunk(format::xxh3_128(bytes), &sha);
    }
    case Item::Kind::kZero:
      return check_zero(bytes, item_.begin);
    case Item::Kind::kCompare:
      return check_equal(bytes, item_.begin);
  }
}

void UnitScan::check_part(Bytes bytes) {
  if (item_.kind == Item::Kind::kZero) return check_zero(bytes, position_);
  if (item_.kind == Item::Kind::kCompare) return check_equal(bytes, position_);
  if (!digest_) digest_.emplace();
  digest_->update(bytes);
  if (sha256_) {
    if (!sha_digest_) sha_digest_.emplace();
    sha_digest_->update(bytes);
  }
  if (position_ + bytes.size() != item_.end) return;
  if (!sha256_) return finish_chunk(digest_->finish(), nullptr);
  const Sha256 sha = sha_digest_->finish();
  finish_chunk(digest_->finish(), &sha);
}

void UnitScan::finish_chunk(const Digest128& xxh3, const Sha256* sha256) {
  ++chunks_;
  chunk_bytes_ += item_.end - item_.begin;
  const Digest128 expected = state_.chunk_digest(item_.digest);
  if (xxh3 != expected) {
    return add_item_error(checksum_error(state_.path(), range_of_item(), expected, xxh3));
  }
  if (sha256 == nullptr) return;
  const Sha256 expected_sha = state_.chunk_sha256(item_.digest);
  if (*sha256 == expected_sha) return;
  add_item_error(checksum_error(state_.path(), range_of_item(), expected_sha, *sha256));
}

ChunkRange UnitScan::range_of_item() const {
  return chunk_range(state_.storage(item_.storage), state_.info.chunk_bytes, item_.chunk);
}

void UnitScan::check_zero(Bytes bytes, std::uint64_t begin) {
  if (!checks_padding_ || item_failed_) return;
  const std::size_t at = first_nonzero(bytes);
  if (at == bytes.size()) return;
  add_item_error(make_error(Code::kCorrupt, "F-19: byte that must be zero")
                     .file(state_.path())
                     .at(Region::kPadding, begin + at, begin + at + 1)
                     .expected("0x0")
                     .found(hex(std::to_integer<std::uint64_t>(bytes[at]))));
}

void UnitScan::check_equal(Bytes bytes, std::uint64_t begin) {
  if (item_failed_) return;
  const Bytes expected =
      item_.expected.subspan(static_cast<std::size_t>(begin - item_.begin), bytes.size());
  if (std::memcmp(bytes.data(), expected.data(), bytes.size()) == 0) return;
  const auto differs = std::mismatch(bytes.begin(), bytes.end(), expected.begin());
  const std::uint64_t at = begin + static_cast<std::uint64_t>(differs.first - bytes.begin());
  add_item_error(make_error(Code::kCorrupt,
                            "byte differs from what was read when the file was "
                            "opened,")
                     .file(state_.path())
                     .at(item_.region, at, at + 1)
                     .expected(hex(std::to_integer<std::uint64_t>(*differs.second)))
                     .found(hex(std::to_integer<std::uint64_t>(*differs.first))));
}

void UnitScan::fail(const Status& cause) {
  if (item_.kind == Item::Kind::kChunk) {
    add_item_error(unreadable_error(state_.path(), range_of_item(), cause));
  } else if (item_.kind == Item::Kind::kCompare || checks_padding_) {
    add_item_error(unreadable_error(state_.path(), {0, 0, item_.begin, item_.end}, cause)
                       .at(item_.region, item_.begin, item_.end)
                       .chunk(Location::kNoChunk, 0));
  }
  position_ = item_.end;
  if (!done()) next_item();
}

void UnitScan::restart_item() {
  position_ = item_.begin;
  digest_.reset();
  sha_digest_.reset();
}

void UnitScan::add_item_error(ErrorBuilder error) {
  item_failed_ = true;
  errors_.add(item_.begin, item_.storage, std::move(error));
}

}  // namespace ingot::loader
