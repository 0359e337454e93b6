// A copy queue that copies on a thread of its own, at a pace that follows from a seed.
#include <pthread.h>
#include <sched.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/error.h"
#include "loader/host_queues.h"

namespace ingot::loader {
namespace {

constexpr std::uint64_t kLongestDelay = 8;  // turns that the thread gives up before a copy

class ThreadedQueue final : public CopyQueue {
 public:
  explicit ThreadedQueue(std::uint64_t seed) : random_(seed | 1) {}
  ~ThreadedQueue() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    given_changed_.notify_all();
    if (started_) ::pthread_join(thread_, nullptr);
  }
  ThreadedQueue(const ThreadedQueue&) = delete;
  ThreadedQueue& operator=(const ThreadedQueue&) = delete;

  Status start() {
    const int error = ::pthread_create(&thread_, nullptr, &ThreadedQueue::run, this);
    started_ = error == 0;
    if (started_) return {};
    return make_error(Code::kResourceExhausted, "cannot start a thread").os_error(error);
  }

  Status copy(const Copy& copy) override {
    INGOT_RETURN_IF_ERROR(check(copy));
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(copy);
      ++given_;
    }
    given_changed_.notify_one();
    return {};
  }
  Result<Fence> record() override {
    const std::lock_guard lock(mutex_);
    return Fence{given_};
  }
  Result<bool> query(Fence fence) override {
    const std::lock_guard lock(mutex_);
    return done_ >= fence.number;
  }
  Status wait(Fence fence) override {
    std::unique_lock lock(mutex_);
    done_changed_.wait(lock, [&] { return done_ >= fence.number; });
    return {};
  }
  Status drain() override {
    std::unique_lock lock(mutex_);
    done_changed_.wait(lock, [this] { return done_ == given_; });
    return {};
  }

 private:
  static void* run(void* queue) {
    static_cast<ThreadedQueue*>(queue)->work();
    return nullptr;
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      given_changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const Copy copy = waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      delay();
      perform(copy);
      lock.lock();
      ++done_;
      done_changed_.notify_all();
    }
  }

  void delay() {
    // xorshift64 (Marsaglia, 2003).
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    for (std::uint64_t i = random_ % kLongestDelay; i > 0; --i) ::sched_yield();
  }

  std::uint64_t random_;  // the queue's thread only
  pthread_t thread_{};
  bool started_ = false;
  std::mutex mutex_;  // guards what follows
  std::condition_variable given_changed_;
  std::condition_variable done_changed_;
  std::deque<Copy> waiting_;
  std::uint64_t given_ = 0;
  std::uint64_t done_ = 0;
  bool stopping_ = false;
};

}  // namespace

Result<std::unique_ptr<CopyQueue>> make_threaded_queue(std::uint64_t seed) {
  auto queue = std::make_unique<ThreadedQueue>(seed);
  INGOT_RETURN_IF_ERROR(queue->start());
  return {std::move(queue)};
}

}  // namespace ingot::loader
