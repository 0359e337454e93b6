#include "io/queue.h"

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "io/queue_kinds.h"
#include "io/transfer.h"

namespace ingot::io {
namespace {

constexpr std::uint32_t kMaxDepth = 4096;

std::string refusal(const Status& status) {
  switch (status.os_error()) {
    case 0:
      return std::string(status.message());
    case EPERM:
      return "io_uring refused (EPERM)";
    case ENOSYS:
      return "io_uring refused (ENOSYS)";
    default:
      return "io_uring refused (" + os_error_text(status.os_error()) + ")";
  }
}

Result<std::unique_ptr<Queue>> open_any_queue(const QueueOptions& options) {
  std::string why = "the file system has no descriptors";
  if (options.has_descriptors) {
    Result<std::unique_ptr<Queue>> uring = open_uring_queue(options.depth);
    if (uring.ok()) return uring;
    why = refusal(uring.status());
  }
  Result<std::unique_ptr<Queue>> threads = open_thread_queue(options.depth, "threads: " + why);
  if (threads.ok()) return threads;
  return make_synchronous_queue(options.depth, "synchronous: " + why + ", and no threads");
}

}  // namespace

std::string_view queue_kind_name(QueueKind kind) {
  switch (kind) {
    case QueueKind::kAuto:
      return "auto";
    case QueueKind::kIoUring:
      return "io_uring";
    case QueueKind::kThreads:
      return "threads";
    case QueueKind::kSynchronous:
      return "synchronous";
  }
  return "unknown";
}

Result<std::unique_ptr<Queue>> open_queue(const QueueOptions& options) {
  if (options.depth == 0 || options.depth > kMaxDepth) {
    return make_error(Code::kInvalidArgument, "queue depth")
        .expected("1 to " + std::to_string(kMaxDepth))
        .found(options.depth);
  }
  switch (options.kind) {
    case QueueKind::kIoUring:
      if (!options.has_descriptors) {
        return make_error(Code::kUnsupported, "io_uring needs files with descriptors");
      }
      return open_uring_queue(options.depth);
    case QueueKind::kThreads:
      return open_thread_queue(options.depth, "threads, as asked");
    case QueueKind::kSynchronous:
      return make_synchronous_queue(options.depth, "synchronous, as asked");
    case QueueKind::kAuto:
      break;
  }
  return open_any_queue(options);
}

Status perform(const Transfer& transfer) {
  switch (transfer.op) {
    case Transfer::Op::kRead:
      return read_exact(*transfer.file, transfer.offset, {transfer.memory, transfer.bytes});
    case Transfer::Op::kWrite:
      break;
  }
  return write_all(*transfer.file, transfer.offset, Bytes(transfer.memory, transfer.bytes));
}

Status check_room(const Queue& queue) {
  if (queue.in_flight() < queue.depth()) return {};
  return make_error(Code::kInvalidArgument, "the queue is full").found(queue.depth());
}

Status check_in_flight(const Queue& queue) {
  if (queue.in_flight() > 0) return {};
  return make_error(Code::kInvalidArgument, "nothing is in flight");
}

}  // namespace ingot::io
