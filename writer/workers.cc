#include "writer/workers.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ingot::writer {
namespace {

struct Job {
  void (*work)(void*);
  void* context;
};

void* start(void* argument) {
  const Job* job = static_cast<const Job*>(argument);
  job->work(job->context);
  return nullptr;
}

// The other threads use what the caller's has on its stack: they are joined whatever ends it.
class Joined {
 public:
  explicit Joined(std::size_t most) { threads_.reserve(most); }
  ~Joined() {
    for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
  }
  Joined(const Joined&) = delete;
  Joined& operator=(const Joined&) = delete;
  void add(pthread_t thread) { threads_.push_back(thread); }

 private:
  std::vector<pthread_t> threads_;
};

}  // namespace

// pthread_create() and not std::thread, whose constructor reports a refusal by an exception.
void run_on_threads(int threads, void (*work)(void* context), void* context) {
  Job job{work, context};
  Joined started(static_cast<std::size_t>(std::max(threads, 1)));
  for (int i = 1; i < threads; ++i) {
    pthread_t thread{};
    if (pthread_create(&thread, nullptr, start, &job) != 0) break;
    started.add(thread);
  }
  work(context);
}

int available_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(CPU_COUNT(&set), 1);
}

}  // namespace ingot::writer
