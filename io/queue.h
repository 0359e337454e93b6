// Many transfers in flight at once: io_uring where the kernel allows it, threads elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "ingot/status.h"

#include "base/bytes.h"
#include "io/file.h"

namespace ingot::io {

enum class QueueKind : std::uint8_t { kAuto, kIoUring, kThreads, kSynchronous };
std::string_view queue_kind_name(QueueKind kind);

struct Transfer {
  enum class Op : std::uint8_t { kRead, kWrite };
  Op op = Op::kRead;
  File* file = nullptr;  // must outlive the completion
  std::uint64_t offset = 0;
  std::byte* memory = nullptr;  // must stay valid and, for reads, untouched until the completion
  std::uint64_t bytes = 0;
  std::uint64_t token = 0;  // comes back with the completion
};

struct Completion {
  std::uint64_t token = 0;
  Status status;  // OK: every byte was transferred. Short transfers are continued by the queue.
};

// One user thread at a time. Destruction waits for everything in flight, also after wait() failed
// and however long that takes: the memory of transfers is the caller's own again afterwards.
class Queue {
 public:
  virtual ~Queue() = default;
  virtual QueueKind kind() const = 0;
  // Why this kind, for people: "io_uring, depth 32", "threads: io_uring refused (EPERM)".
  virtual std::string_view reason() const = 0;
  virtual std::uint32_t depth() const = 0;
  virtual std::uint32_t in_flight() const = 0;
  // Starts a transfer. REQUIRES: in_flight() < depth().
  virtual Status submit(const Transfer& transfer) = 0;
  // The next completion, in any order; blocks. REQUIRES: in_flight() > 0. A failed transfer is a
  // completion with its status; an error of wait() itself is the queue's: what is in flight stays
  // so, and its memory is still in use.
  virtual Result<Completion> wait() = 0;
};

struct QueueOptions {
  QueueKind kind = QueueKind::kAuto;
  std::uint32_t depth = 32;
  bool has_descriptors = true;  // FileSystem::has_descriptors() of the files to come
};

// kAuto never fails for want of io_uring; a forced kind that cannot be had is kUnsupported.
Result<std::unique_ptr<Queue>> open_queue(const QueueOptions& options);

}  // namespace ingot::io
