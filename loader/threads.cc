#include "loader/threads.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <vector>

namespace ingot::loader {
namespace {

// Bound of what a caller may ask for.
constexpr int kMaxThreads = 1024;

struct Start {
  void (*work)(void*, int);
  void* context;
  int i;
  pthread_t thread;
};

void* run(void* argument) {
  const Start& start = *static_cast<const Start*>(argument);
  start.work(start.context, start.i);
  return nullptr;
}

}  // namespace

int default_threads() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  if (sched_getaffinity(0, sizeof processors, &processors) != 0) return 1;
  return std::max(1, CPU_COUNT(&processors));
}

// Not std::thread, which throws when the system refuses.
int run_on_threads(int count, void (*work)(void* context, int i), void* context) {
  count = std::clamp(count, 1, kMaxThreads);
  std::vector<Start> started(static_cast<std::size_t>(count));
  int running = 1;
  for (; running < count; ++running) {
    Start& start = started[static_cast<std::size_t>(running)];
    start.work = work;
    start.context = context;
    start.i = running;
    if (pthread_create(&start.thread, nullptr, run, &start) != 0) break;
  }
  work(context, 0);
  for (int i = 1; i < running; ++i) {
    pthread_join(started[static_cast<std::size_t>(i)].thread, nullptr);
  }
  return running;
}

}  // namespace ingot::loader
