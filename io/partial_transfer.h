// A transfer that a kernel queue does piece by piece: books what each piece's completion says.
// Private to io.
#pragma once

#include <cstdint>
#include <optional>

#include "ingot/status.h"

#include "io/queue.h"

namespace ingot::io {

class PartialTransfer {
 public:
  PartialTransfer() = default;
  explicit PartialTransfer(const Transfer& transfer) : transfer_(transfer) {}

  const Transfer& transfer() const { return transfer_; }
  // What is still to do.
  std::uint64_t offset() const { return transfer_.offset + done_; }
  std::byte* memory() const { return transfer_.memory + done_; }
  std::uint64_t bytes() const { return transfer_.bytes - done_; }

  // `result` is the completion of a piece: bytes, or -errno. The status of the whole transfer when
  // it ends here; nullopt when the rest is to be asked for. Where the kernel gave the piece back
  // undone (EAGAIN, EINTR, ECANCELED), the rest is done by plain calls: blocks.
  std::optional<Status> book(int result);

 private:
  Status stopped(int number) const;

  Transfer transfer_;
  std::uint64_t done_ = 0;
};

}  // namespace ingot::io
