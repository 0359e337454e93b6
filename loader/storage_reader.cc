#include "loader/storage_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/checked.h"
#include "base/error.h"
#include "format/digest.h"
#include "io/transfer.h"
#include "loader/chunk_error.h"

namespace ingot::loader {
namespace {

// Divides every chunk size.
constexpr std::uint64_t kUnverifiedBlock = std::uint64_t{1} << format::kMinChunkLog2;

}  // namespace

StorageReader::StorageReader(const Checkpoint::State& state, std::uint32_t storage, Verify verify,
                             std::string_view owner)
    : state_(state),
      storage_(state.storage(storage)),
      verify_(verify),
      owner_(owner),
      block_bytes_(verify == Verify::kYes ? state.info.chunk_bytes : kUnverifiedBlock),
      block_log2_(std::countr_zero(block_bytes_)) {}

std::uint64_t StorageReader::block_end(std::uint64_t number) const {
  const std::uint64_t begin = number << block_log2_;
  return begin + std::min(block_bytes_, storage_.bytes - begin);
}

Status StorageReader::copy(std::uint64_t begin, MutableBytes destination) {
  while (!destination.empty()) {
    const std::uint64_t number = begin >> block_log2_;
    const std::uint64_t block_begin = number << block_log2_;
    const std::uint64_t end = block_end(number);
    std::size_t n = 0;
    if (begin == block_begin && destination.size() >= end - begin) {
      // Without digests to check there is no reason to stop at the block's end.
      n = verify_ == Verify::kYes ? static_cast<std::size_t>(end - begin) : destination.size();
      INGOT_RETURN_IF_ERROR(read_checked(begin, destination.first(n)));
    } else {
      n = static_cast<std::size_t>(std::min<std::uint64_t>(end - begin, destination.size()));
      INGOT_ASSIGN_OR_RETURN(const Block* block, load(number));
      std::memcpy(destination.data(), block->memory.data() + (begin - block_begin), n);
    }
    begin += n;
    destination = destination.subspan(n);
  }
  return {};
}

Result<const StorageReader::Block*> StorageReader::load(std::uint64_t number) {
  for (int i = 0; i < 2; ++i) {
    if (blocks_[i].number == number) return newest_ = i, &blocks_[i];
  }
  newest_ = 1 - newest_;
  Block& block = blocks_[newest_];
  block.number = kNone;
  if (block.memory.size() == 0) {
    INGOT_ASSIGN_OR_RETURN(block.memory,
                           io::AlignedBuffer::allocate(std::min(block_bytes_, storage_.bytes)));
  }
  const std::uint64_t begin = number << block_log2_;
  const auto bytes = static_cast<std::size_t>(block_end(number) - begin);
  INGOT_RETURN_IF_ERROR(read_checked(begin, block.memory.bytes().first(bytes)));
  block.number = number;
  return &block;
}

Status StorageReader::read_checked(std::uint64_t begin, MutableBytes destination) {
  const Status read = io::read_exact(*state_.file, storage_.offset + begin, destination);
  if (read.ok()) {
    if (verify_ == Verify::kNo) return {};
    return check(begin >> block_log2_, destination);
  }
  const std::uint64_t from = storage_.offset + begin;
  return make_error(Code::kIoError, read.code() == Code::kTruncated
                                        ? "the file was truncated while it was open: no bytes"
                                        : "bytes could not be read")
      .file(state_.path())
      .at(Region::kData, from, from + destination.size())
      .tensor(owner_)
      .os_error(read.os_error());
}

Status StorageReader::check(std::uint64_t chunk, Bytes bytes) const {
  const Digest128 expected = state_.chunk_digest(storage_.first_chunk + chunk);
  const Digest128 found = format::xxh3_128(bytes);
  if (found == expected) return {};
  const ChunkRange range = chunk_range(storage_, state_.info.chunk_bytes, chunk);
  ErrorBuilder error = checksum_error(state_.path(), range, expected, found);
  const Status unchanged = state_.check_unchanged_since(state_.opened);
  if (!unchanged.ok()) error.advice("the file was modified since it was opened");
  return error.tensor(owner_).status();
}

}  // namespace ingot::loader
