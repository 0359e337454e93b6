// Queues that transfer by plain calls: on worker threads, or at once in submit().
#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"
#include "io/queue_kinds.h"

namespace ingot::io {
namespace {

// Enough to keep a device busy; more threads than this only wait for each other.
constexpr std::uint32_t kMaxThreads = 16;

class ThreadQueue final : public Queue {
 public:
  ThreadQueue(std::uint32_t depth, std::string reason)
      : depth_(depth), reason_(std::move(reason)) {}
  // What was submitted is done before the threads end.
  ~ThreadQueue() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_all();
    for (const pthread_t thread : threads_) ::pthread_join(thread, nullptr);
  }
  ThreadQueue(const ThreadQueue&) = delete;
  ThreadQueue& operator=(const ThreadQueue&) = delete;

  // pthread_create and not std::thread, whose only way to fail is an exception.
  Status start() {
    const std::uint32_t count = std::min(depth_, kMaxThreads);
    threads_.reserve(count);
    int error = 0;
    for (std::uint32_t i = 0; i < count && error == 0; ++i) {
      pthread_t thread{};
      error = ::pthread_create(&thread, nullptr, &ThreadQueue::run, this);
      if (error == 0) threads_.push_back(thread);
    }
    if (!threads_.empty()) return {};
    return make_error(Code::kResourceExhausted, "cannot start a thread").os_error(error);
  }

  QueueKind kind() const override { return QueueKind::kThreads; }
  std::string_view reason() const override { return reason_; }
  std::uint32_t depth() const override { return depth_; }
  std::uint32_t in_flight() const override { return in_flight_; }

  Status submit(const Transfer& transfer) override {
    INGOT_RETURN_IF_ERROR(check_room(*this));
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(transfer);
    }
    ++in_flight_;
    work_.notify_one();
    return {};
  }

  Result<Completion> wait() override {
    INGOT_RETURN_IF_ERROR(check_in_flight(*this));
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return !finished_.empty(); });
    Completion completion = std::move(finished_.front());
    finished_.pop_front();
    --in_flight_;
    return completion;
  }

 private:
  static void* run(void* queue) {
    static_cast<ThreadQueue*>(queue)->work();
    return nullptr;
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const Transfer transfer = waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      Completion completion{transfer.token, perform(transfer)};
      lock.lock();
      finished_.push_back(std::move(completion));
      done_.notify_one();
    }
  }

  const std::uint32_t depth_;
  const std::string reason_;
  std::uint32_t in_flight_ = 0;  // the user's thread only
  std::vector<pthread_t> threads_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable work_;
  std::condition_variable done_;
  std::deque<Transfer> waiting_;
  std::deque<Completion> finished_;
  bool stopping_ = false;
};

class SynchronousQueue final : public Queue {
 public:
  SynchronousQueue(std::uint32_t depth, std::string reason)
      : depth_(depth), reason_(std::move(reason)) {}

  QueueKind kind() const override { return QueueKind::kSynchronous; }
  std::string_view reason() const override { return reason_; }
  std::uint32_t depth() const override { return depth_; }
  std::uint32_t in_flight() const override { return static_cast<std::uint32_t>(finished_.size()); }

  Status submit(const Transfer& transfer) override {
    INGOT_RETURN_IF_ERROR(check_room(*this));
    finished_.push_back({transfer.token, perform(transfer)});
    return {};
  }

  Result<Completion> wait() override {
    INGOT_RETURN_IF_ERROR(check_in_flight(*this));
    Completion completion = std::move(finished_.front());
    finished_.pop_front();
    return completion;
  }

 private:
  const std::uint32_t depth_;
  const std::string reason_;
  std::deque<Completion> finished_;
};

}  // namespace

Result<std::unique_ptr<Queue>> open_thread_queue(std::uint32_t depth, std::string reason) {
  auto queue = std::make_unique<ThreadQueue>(depth, std::move(reason));
  INGOT_RETURN_IF_ERROR(queue->start());
  return {std::move(queue)};
}

std::unique_ptr<Queue> make_synchronous_queue(std::uint32_t depth, std::string reason) {
  return std::make_unique<SynchronousQueue>(depth, std::move(reason));
}

}  // namespace ingot::io
