// Whole transfers out of partial ones: loops over short reads and writes, requests over 2 GiB.
#pragma once

#include "base/bytes.h"
#include "io/file.h"

namespace ingot::io {

// Fills `destination` from `offset`. kTruncated (naming the range) at the end of the file.
Status read_exact(File& file, std::uint64_t offset, MutableBytes destination);
// Writes all of `source`. A write that makes no progress is kIoError.
Status write_all(File& file, std::uint64_t offset, Bytes source);

}  // namespace ingot::io
