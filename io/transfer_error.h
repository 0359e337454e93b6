// How a transfer that cannot go on is reported; the same from loops and from queues. Private to io.
#pragma once

#include <cstdint>

#include "ingot/status.h"

#include "io/file.h"

namespace ingot::io {

// A transfer of `bytes` at `offset`, of which `done` went well.
struct Progress {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t done = 0;
};

// A read got nothing: kTruncated.
Status read_past_end(File& file, const Progress& progress);
// A write got nothing through: kIoError.
Status write_stuck(File& file, const Progress& progress);
// A call failed with `cause`. A direct read that goes on behind the end of a file fails with
// EINVAL, being unaligned: that is kTruncated too.
Status read_failed(File& file, const Progress& progress, const Status& cause);

}  // namespace ingot::io
