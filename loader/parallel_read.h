// Reads a long range with several threads at once: the copy out of the page cache, and the memory
// that it goes to, take longer than all that is done with an index afterwards.
#pragma once

#include <cstdint>

#include "ingot/status.h"

#include "base/bytes.h"
#include "io/file.h"

namespace ingot::loader {

// Fills `destination` from `offset`. The error of the first range that could not be read, in file
// order. Short ranges are read by the caller's thread alone; others by at most four, which end
// before it returns.
Status parallel_read(io::File& file, std::uint64_t offset, MutableBytes destination);

}  // namespace ingot::loader
