// A whole file by read(2): what reading through the page cache could reach at best.
#pragma once

#include <string>

namespace ingot::bench {

// Seconds that `threads` threads take to read it in blocks of 1 MiB, each to a buffer of its own
// that is used again and again; buffers not counted. Throws when not all of it came.
double read_buffered(const std::string& path, int threads);

}  // namespace ingot::bench
