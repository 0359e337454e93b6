#include "base/error.h"
#include "io/queue_kinds.h"

#if INGOT_HAVE_URING

#include <liburing.h>
#include <sched.h>
#include <time.h>

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "io/os_error.h"
#include "io/partial_transfer.h"
#include "io/posix_file.h"

namespace ingot::io {
namespace {

// The kernel may say that it is out of resources: so often it is asked again at once, then after a
// sleep, until wait() gives up.
constexpr int kPatientAnswers = 100;
constexpr int kMaxBusyAnswers = 10'100;  // about ten seconds
constexpr timespec kNap{.tv_sec = 0, .tv_nsec = 1'000'000};

Status no_uring(std::string_view why, int number) {
  return make_error(Code::kUnsupported, why).os_error(number);
}

// One submission queue entry per transfer in flight: the ring has room for all of them.
class UringQueue final : public Queue {
 public:
  explicit UringQueue(std::uint32_t depth)
      : depth_(depth), reason_("io_uring, depth " + std::to_string(depth)), slots_(depth) {
    for (std::uint32_t i = depth; i > 0; --i) free_.push_back(i - 1);
  }
  ~UringQueue() override {
    if (!open_) return;
    // The kernel writes to the callers' memory until the last completion is here.
    while (in_flight_ > 0 && wait().ok()) {
    }
    // Where wait() fails, completions come all the same, to the ring. However long it takes: memory
    // that the kernel still writes to must not be given to somebody else. What it never took it
    // does not touch.
    while (with_kernel_ > ::io_uring_sq_ready(&ring_)) {
      io_uring_cqe* entry = nullptr;
      if (::io_uring_peek_cqe(&ring_, &entry) == 0) {
        take(entry);
      } else {
        ::nanosleep(&kNap, nullptr);
      }
    }
    ::io_uring_queue_exit(&ring_);
  }
  UringQueue(const UringQueue&) = delete;
  UringQueue& operator=(const UringQueue&) = delete;

  Status start() {
    const int result = ::io_uring_queue_init(depth_, &ring_, 0);
    if (result < 0) return no_uring("io_uring refused", -result);
    open_ = true;
    return check_operations();
  }

  QueueKind kind() const override { return QueueKind::kIoUring; }
  std::string_view reason() const override { return reason_; }
  std::uint32_t depth() const override { return depth_; }
  std::uint32_t in_flight() const override { return in_flight_; }

  Status submit(const Transfer& transfer) override {
    INGOT_RETURN_IF_ERROR(check_room(*this));
    if (transfer.file->descriptor() < 0) {
      return make_error(Code::kUnsupported, "io_uring needs a descriptor")
          .file(transfer.file->path());
    }
    ++in_flight_;
    if (transfer.bytes == 0) {
      finished_.push_back({transfer.token, {}});
      return {};
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    slots_[number] = PartialTransfer(transfer);
    enqueue(number);
    return {};
  }

  Result<Completion> wait() override {
    INGOT_RETURN_IF_ERROR(check_in_flight(*this));
    std::optional<Completion> completion;
    if (!finished_.empty()) {
      completion = std::move(finished_.front());
      finished_.pop_front();
    }
    while (!completion) {
      INGOT_ASSIGN_OR_RETURN(const Event event, next_event());
      completion = advance(event);
    }
    --in_flight_;
    return *std::move(completion);
  }

 private:
  struct Event {
    std::uint32_t slot = 0;
    int result = 0;  // bytes, or -errno
  };

  Status check_operations() {
    io_uring_probe* probe = ::io_uring_get_probe_ring(&ring_);
    const bool complete = probe != nullptr && io_uring_opcode_supported(probe, IORING_OP_READ) &&
                          io_uring_opcode_supported(probe, IORING_OP_WRITE);
    if (probe != nullptr) ::io_uring_free_probe(probe);
    return complete ? Status() : no_uring("io_uring of this kernel has no plain reads", 0);
  }

  // Hands the rest of a slot's transfer to the kernel. Entries that it does not take now stay in
  // the ring; next_event() offers them again.
  void enqueue(std::uint32_t number) {
    const PartialTransfer& rest = slots_[number];
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    const auto bytes = static_cast<unsigned>(clip_call(rest.bytes()));
    const int descriptor = rest.transfer().file->descriptor();
    if (rest.transfer().op == Transfer::Op::kRead) {
      ::io_uring_prep_read(entry, descriptor, rest.memory(), bytes, rest.offset());
    } else {
      ::io_uring_prep_write(entry, descriptor, rest.memory(), bytes, rest.offset());
    }
    entry->user_data = number;
    ++with_kernel_;
    static_cast<void>(::io_uring_submit(&ring_));
  }

  Result<Event> next_event() {
    io_uring_cqe* entry = nullptr;
    int busy_answers = 0;
    while (::io_uring_peek_cqe(&ring_, &entry) != 0) {
      const int result = ::io_uring_submit_and_wait(&ring_, 1);
      if (result >= 0 || result == -EINTR) continue;
      const bool busy = result == -EAGAIN || result == -EBUSY || result == -ENOMEM;
      if (!busy || ++busy_answers > kMaxBusyAnswers) {
        return make_error(code_of_errno(-result), "io_uring failed").os_error(-result);
      }
      if (busy_answers <= kPatientAnswers) {
        ::sched_yield();
      } else {
        ::nanosleep(&kNap, nullptr);
      }
    }
    return take(entry);
  }

  // A completion out of the ring.
  Event take(io_uring_cqe* entry) {
    const Event event{static_cast<std::uint32_t>(entry->user_data), entry->res};
    ::io_uring_cqe_seen(&ring_, entry);
    --with_kernel_;
    return event;
  }

  // Books an event; the completion when it was the transfer's last.
  std::optional<Completion> advance(const Event& event) {
    PartialTransfer& slot = slots_[event.slot];
    std::optional<Status> status = slot.book(event.result);
    if (!status) {
      enqueue(event.slot);
      return std::nullopt;
    }
    free_.push_back(event.slot);
    return Completion{slot.transfer().token, *std::move(status)};
  }

  const std::uint32_t depth_;
  const std::string reason_;
  io_uring ring_{};
  bool open_ = false;
  std::uint32_t in_flight_ = 0;
  // Entries whose completion is not here; of these, io_uring_sq_ready() the kernel has not taken.
  std::uint32_t with_kernel_ = 0;
  std::vector<PartialTransfer> slots_;
  std::vector<std::uint32_t> free_;
  std::deque<Completion> finished_;  // transfers of no bytes
};

}  // namespace

Result<std::unique_ptr<Queue>> open_uring_queue(std::uint32_t depth) {
  auto queue = std::make_unique<UringQueue>(depth);
  INGOT_RETURN_IF_ERROR(queue->start());
  return {std::move(queue)};
}

}  // namespace ingot::io

#else

namespace ingot::io {

Result<std::unique_ptr<Queue>> open_uring_queue(std::uint32_t) {
  return make_error(Code::kUnsupported, "built without liburing");
}

}  // namespace ingot::io

#endif
