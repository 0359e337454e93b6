#include "tools/convert/stream_writer.h"

#include <algorithm>
#include <utility>

#include "io/transfer.h"

namespace ingot::tools {
namespace {

constexpr std::uint64_t kBlockBytes = std::uint64_t{4} << 20;
constexpr std::size_t kBlocks = 8;

}  // namespace

Result<StreamWriter> StreamWriter::open(io::FileSystem& file_system, io::File& file,
                                        std::uint64_t bytes, std::uint64_t direct_from_bytes) {
  StreamWriter writer;
  writer.file_ = &file;
  writer.path_ = "buffered";
  writer.reason_ = "a small file";
  if (bytes >= direct_from_bytes) {
    Result<std::unique_ptr<io::File>> direct = file.reopen_direct();
    if (direct.ok()) {
      writer.direct_ = *std::move(direct);
    } else {
      writer.reason_ = direct.status().message();
    }
  }
  writer.blocks_.resize(writer.direct_ ? kBlocks : 1);
  for (Block& block : writer.blocks_) {
    INGOT_ASSIGN_OR_RETURN(block.memory, io::AlignedBuffer::allocate(kBlockBytes));
  }
  if (writer.direct_) {
    INGOT_ASSIGN_OR_RETURN(writer.queue_,
                           io::open_queue({.kind = io::QueueKind::kAuto,
                                           .depth = kBlocks,
                                           .has_descriptors = file_system.has_descriptors()}));
    writer.path_ = "O_DIRECT, " + std::string(queue_kind_name(writer.queue_->kind()));
    writer.reason_ = writer.queue_->reason();
  }
  return writer;
}

Status StreamWriter::append(Bytes bytes) {
  while (!bytes.empty()) {
    Block& block = blocks_[current_];
    while (block.in_flight) INGOT_RETURN_IF_ERROR(wait_one());
    const auto room = static_cast<std::size_t>(kBlockBytes - block.filled);
    const std::size_t count = std::min(room, bytes.size());
    std::copy_n(bytes.data(), count, block.memory.data() + block.filled);
    block.filled += count;
    bytes = bytes.subspan(count);
    if (block.filled == kBlockBytes) INGOT_RETURN_IF_ERROR(start_block());
  }
  return {};
}

// Whole blocks are multiples of any alignment that O_DIRECT asks for.
Status StreamWriter::start_block() {
  Block& block = blocks_[current_];
  const std::uint64_t at = written_;
  written_ += block.filled;
  if (!direct_) {
    const auto length = static_cast<std::size_t>(std::exchange(block.filled, 0));
    return io::write_all(*file_, at, block.memory.bytes().first(length));
  }
  INGOT_RETURN_IF_ERROR(queue_->submit({.op = io::Transfer::Op::kWrite,
                                        .file = direct_.get(),
                                        .offset = at,
                                        .memory = block.memory.data(),
                                        .bytes = block.filled,
                                        .token = current_}));
  block.in_flight = true;
  block.filled = 0;
  current_ = (current_ + 1) % blocks_.size();
  return {};
}

Status StreamWriter::wait_one() {
  INGOT_ASSIGN_OR_RETURN(const io::Completion completion, queue_->wait());
  blocks_[static_cast<std::size_t>(completion.token)].in_flight = false;
  return completion.status;
}

Status StreamWriter::finish() {
  while (queue_ && queue_->in_flight() > 0) INGOT_RETURN_IF_ERROR(wait_one());
  // The last block is seldom a whole number of sectors: it goes through the page cache.
  Block& block = blocks_[current_];
  const auto length = static_cast<std::size_t>(std::exchange(block.filled, 0));
  return io::write_all(*file_, written_, block.memory.bytes().first(length));
}

}  // namespace ingot::tools
