#include "loader/host_queues.h"

#include <cstring>
#include <deque>
#include <string>

#include "base/checked.h"
#include "base/error.h"
#include "io/fresh_memory.h"

namespace ingot::loader {
namespace {

class EagerQueue final : public CopyQueue {
 public:
  Status copy(const Copy& copy) override {
    INGOT_RETURN_IF_ERROR(check(copy));
    if (copy.rows == 1 && copy.direction == CopyDirection::kToDevice) {
      io::bring_in({copy.destination, static_cast<std::size_t>(copy.width)});
    }
    perform(copy);
    return {};
  }
  Result<Fence> record() override { return Fence{}; }
  Result<bool> query(Fence) override { return true; }
  Status wait(Fence) override { return {}; }
  Status drain() override { return {}; }
};

// A fence that is only asked about is reached at last: a caller may poll.
constexpr int kPollsBeforeProgress = 3;

class DeferredQueue final : public CopyQueue {
 public:
  ~DeferredQueue() override { reach(given_); }
  DeferredQueue() = default;
  DeferredQueue(const DeferredQueue&) = delete;
  DeferredQueue& operator=(const DeferredQueue&) = delete;

  Status copy(const Copy& copy) override {
    INGOT_RETURN_IF_ERROR(check(copy));
    waiting_.push_back(copy);
    ++given_;
    return {};
  }
  Result<Fence> record() override { return Fence{given_}; }
  Result<bool> query(Fence fence) override {
    if (fence.number <= done_) return true;
    if (++polls_ < kPollsBeforeProgress) return false;
    return reach(fence.number), true;
  }
  Status wait(Fence fence) override { return reach(fence.number), Status(); }
  Status drain() override { return reach(given_), Status(); }

 private:
  void reach(std::uint64_t number) {
    polls_ = 0;
    for (; done_ < number; ++done_) {
      perform(waiting_.front());
      waiting_.pop_front();
    }
  }

  std::deque<Copy> waiting_;
  std::uint64_t given_ = 0;
  std::uint64_t done_ = 0;
  int polls_ = 0;
};

}  // namespace

namespace {

// Whether the last byte of all rows has an address.
bool ends_somewhere(const std::byte* begin, const Copy& copy, std::uint64_t pitch) {
  std::uint64_t end = 0;
  if (copy.rows > 1 && !checked_mul(copy.rows - 1, pitch, &end)) return false;
  const std::uint64_t at = reinterpret_cast<std::uintptr_t>(begin);
  return checked_add(end, copy.width, &end) && checked_add(end, at, &end);
}

}  // namespace

Status check(const Copy& copy) {
  if (copy.width == 0 || copy.rows == 0) return {};
  if (copy.source == nullptr || copy.destination == nullptr) {
    return make_error(Code::kInvalidArgument, "a copy without memory").found("a null pointer");
  }
  if (copy.rows > 1 && copy.destination_pitch < copy.width) {
    return make_error(Code::kInvalidArgument, "rows of a copy's destination overlap")
        .expected("a pitch of at least " + std::to_string(copy.width))
        .found(copy.destination_pitch);
  }
  if (ends_somewhere(copy.source, copy, copy.source_pitch) &&
      ends_somewhere(copy.destination, copy, copy.destination_pitch)) {
    return {};
  }
  return make_error(Code::kInvalidArgument, "a copy reaches beyond all memory").found(copy.rows);
}

void perform(const Copy& copy) {
  if (copy.width == 0) return;
  std::byte* to = copy.destination;
  const std::byte* from = copy.source;
  for (std::uint64_t row = 0; row < copy.rows; ++row) {
    std::memcpy(to, from, static_cast<std::size_t>(copy.width));
    to += copy.destination_pitch;
    from += copy.source_pitch;
  }
}

std::unique_ptr<CopyQueue> make_eager_queue() { return std::make_unique<EagerQueue>(); }
std::unique_ptr<CopyQueue> make_deferred_queue() { return std::make_unique<DeferredQueue>(); }

}  // namespace ingot::loader
