// Writes a file front to back, past the page cache where it can.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ingot/status.h"

#include "base/bytes.h"
#include "io/aligned_buffer.h"
#include "io/file_system.h"
#include "io/queue.h"

namespace ingot::tools {

// Bytes are copied into a few blocks; full ones are written while the next are filled. A durable
// write of gigabytes through the page cache costs several times as much as one with O_DIRECT.
// One thread. Destruction waits for what is in flight.
class StreamWriter {
 public:
  // Files below `direct_from_bytes` are written through the page cache, and so is everything where
  // the file system has no O_DIRECT. `file` and `file_system` must outlive the writer; `bytes` are
  // all that will be written.
  static Result<StreamWriter> open(io::FileSystem& file_system, io::File& file, std::uint64_t bytes,
                                   std::uint64_t direct_from_bytes);

  Status append(Bytes bytes);
  // Writes what is left and waits for everything. Does not sync.
  Status finish();

  const std::string& path() const { return path_; }      // "O_DIRECT, io_uring", "buffered"
  const std::string& reason() const { return reason_; }  // why that one

 private:
  struct Block {
    io::AlignedBuffer memory;
    std::uint64_t filled = 0;
    bool in_flight = false;
  };

  StreamWriter() = default;
  Status start_block();
  Status wait_one();

  io::File* file_ = nullptr;          // the tail goes through it, and all when not direct
  std::unique_ptr<io::File> direct_;  // null when not direct
  std::vector<Block> blocks_;
  std::size_t current_ = 0;
  std::uint64_t written_ = 0;  // offset of the current block
  std::string path_;
  std::string reason_;
  // Last, so that it waits for what is in flight before the blocks go.
  std::unique_ptr<io::Queue> queue_;
};

}  // namespace ingot::tools
