#include "io/transfer.h"

#include <cerrno>

#include "io/transfer_error.h"

namespace ingot::io {
namespace {

// Signals may interrupt a transfer again and again, but not for ever.
constexpr int kMaxInterruptions = 1000;

// Whether a call that failed is worth another try.
bool try_again(const Status& status, int* interruptions) {
  return status.os_error() == EINTR && ++*interruptions < kMaxInterruptions;
}

}  // namespace

Status read_exact(File& file, std::uint64_t offset, MutableBytes destination) {
  Progress progress{offset, destination.size(), 0};
  int interruptions = 0;
  while (progress.done < progress.bytes) {
    const Result<std::size_t> step =
        file.read_some(offset + progress.done, destination.subspan(progress.done));
    if (!step.ok()) {
      if (try_again(step.status(), &interruptions)) continue;
      return read_failed(file, progress, step.status());
    }
    if (*step == 0) return read_past_end(file, progress);
    progress.done += *step;
    interruptions = 0;
  }
  return {};
}

Status write_all(File& file, std::uint64_t offset, Bytes source) {
  Progress progress{offset, source.size(), 0};
  int interruptions = 0;
  while (progress.done < progress.bytes) {
    const Result<std::size_t> step =
        file.write_some(offset + progress.done, source.subspan(progress.done));
    if (!step.ok()) {
      if (try_again(step.status(), &interruptions)) continue;
      return step.status();
    }
    if (*step == 0) return write_stuck(file, progress);
    progress.done += *step;
    interruptions = 0;
  }
  return {};
}

}  // namespace ingot::io
