#include "loader/host_queues.h"

#include <cstring>
#include <deque>

namespace ingot::loader {
namespace {

class EagerQueue final : public CopyQueue {
 public:
  Status copy(const Copy& copy) override {
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

void perform(const Copy& copy) {
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
