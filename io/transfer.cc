#include "io/transfer.h"

#include <cerrno>

#include "base/error.h"

namespace ingot::io {
namespace {

// Signals may interrupt a transfer again and again, but not for ever.
constexpr int kMaxInterruptions = 1000;

// Calls `some(done)` until `bytes` are transferred. `some` returns what one call transferred; 0 is
// answered with `at_zero(done)`.
template <typename Some, typename AtZero>
Status transfer_all(std::size_t bytes, Some some, AtZero at_zero) {
  std::size_t done = 0;
  int interruptions = 0;
  while (done < bytes) {
    const Result<std::size_t> step = some(done);
    if (!step.ok()) {
      if (step.status().os_error() == EINTR && ++interruptions < kMaxInterruptions) continue;
      return step.status();
    }
    if (*step == 0) return at_zero(done);
    done += *step;
    interruptions = 0;
  }
  return {};
}

}  // namespace

Status read_exact(File& file, std::uint64_t offset, MutableBytes destination) {
  return transfer_all(
      destination.size(),
      [&](std::size_t done) { return file.read_some(offset + done, destination.subspan(done)); },
      [&](std::size_t done) -> Status {
        return make_error(Code::kTruncated, "the file ends inside of a read")
            .file(file.path())
            .at(Region::kFile, offset, offset + destination.size())
            .expected(std::to_string(destination.size()) + " bytes")
            .found(done);
      });
}

Status write_all(File& file, std::uint64_t offset, Bytes source) {
  return transfer_all(
      source.size(),
      [&](std::size_t done) { return file.write_some(offset + done, source.subspan(done)); },
      [&](std::size_t done) -> Status {
        return make_error(Code::kIoError, "a write made no progress")
            .file(file.path())
            .at(Region::kFile, offset + done, offset + source.size());
      });
}

}  // namespace ingot::io
