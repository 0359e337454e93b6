#include "base/threads.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <vector>

namespace ingot {
namespace {

// Bound of what a caller may ask for.
constexpr int kMaxThreads = 1024;

struct Start {
  void (*work)(void*, int);
  void* context;
  int i;
  pthread_t thread;
};

// The other threads use what the caller's has on its stack: they are joined whatever ends it.
class Started {
 public:
  explicit Started(int most) : threads_(static_cast<std::size_t>(most)) {}
  ~Started() {
    for (int i = 1; i < running_; ++i) pthread_join(at(i).thread, nullptr);
  }
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;

  // Whether the system had another thread. The first is the caller's, which is there.
  bool start(void (*work)(void*, int), void* context);
  int running() const { return running_; }

 private:
  Start& at(int i) { return threads_[static_cast<std::size_t>(i)]; }

  std::vector<Start> threads_;
  int running_ = 1;
};

void* run(void* argument) {
  const Start& start = *static_cast<const Start*>(argument);
  start.work(start.context, start.i);
  return nullptr;
}

// Not std::thread, which throws when the system refuses.
bool Started::start(void (*work)(void*, int), void* context) {
  Start& next = at(running_);
  next = {.work = work, .context = context, .i = running_, .thread = {}};
  if (pthread_create(&next.thread, nullptr, run, &next) != 0) return false;
  ++running_;
  return true;
}

}  // namespace

int available_threads() {
  // One set is 1,024 processors, and the kernel takes no room for fewer than it may have: 8,192 is
  // the most that Linux is built for.
  std::array<cpu_set_t, 16> processors{};
  if (sched_getaffinity(0, sizeof processors, processors.data()) != 0) return 1;
  return std::max(1, CPU_COUNT_S(sizeof processors, processors.data()));
}

int run_on_threads(int count, void (*work)(void* context, int i), void* context) {
  count = std::clamp(count, 1, kMaxThreads);
  Started started(count);
  while (started.running() < count && started.start(work, context)) {
  }
  work(context, 0);
  return started.running();
}

}  // namespace ingot
