// Reading a file back before it is published: what is on the medium is what was handed over.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ingot/status.h"

#include "io/file.h"
#include "io/queue.h"
#include "writer/file_items.h"

namespace ingot::writer {

struct ReadBackOptions {
  std::string path;
  std::uint64_t file_bytes = 0;
  std::uint64_t window_bytes = 0;   // one read; multiple of a page
  std::uint32_t windows = 4;        // in flight
  std::function<bool()> cancelled;  // asked once a window
  // The next item, in file order; the items cover the file without gaps.
  std::function<FileItem()> next_item;
  std::function<std::string(std::uint32_t storage)> owner_of;
};

// Reads all of `file` in order. kChecksumMismatch naming tensor, chunk and range for data;
// kCorrupt naming the region for anything else; kCancelled. Blocks.
Status read_back(io::File& file, std::unique_ptr<io::Queue> queue, const ReadBackOptions& options);

}  // namespace ingot::writer
