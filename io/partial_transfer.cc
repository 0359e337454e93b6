#include "io/partial_transfer.h"

#include <cerrno>

#include "base/error.h"
#include "io/os_error.h"
#include "io/queue_kinds.h"
#include "io/transfer_error.h"

namespace ingot::io {

namespace {

// Answers that say nothing about the file. Nobody here cancels: the kernel does (ECANCELED) when
// it cannot start its own worker thread, and when the thread that submitted has ended.
bool not_done_by_kernel(int number) {
  return number == EAGAIN || number == EINTR || number == ECANCELED;
}

}  // namespace

std::optional<Status> PartialTransfer::book(int result) {
  if (result <= 0) return stopped(-result);
  done_ += static_cast<std::uint64_t>(result);
  if (done_ < transfer_.bytes) return std::nullopt;
  return Status();
}

// A piece got nothing through, with errno `number` or 0.
Status PartialTransfer::stopped(int number) const {
  const Progress progress{transfer_.offset, transfer_.bytes, done_};
  const bool reading = transfer_.op == Transfer::Op::kRead;
  File& file = *transfer_.file;
  if (number == 0) return reading ? read_past_end(file, progress) : write_stuck(file, progress);
  if (not_done_by_kernel(number)) {
    return perform({transfer_.op, &file, offset(), memory(), bytes(), transfer_.token});
  }
  const Status cause = make_error(code_of_errno(number), reading ? "cannot read" : "cannot write")
                           .file(file.path())
                           .at(Region::kFile, offset(), offset() + bytes())
                           .os_error(number);
  return reading ? read_failed(file, progress, cause) : cause;
}

}  // namespace ingot::io
