// Threads for the length of one call.
#include "base/threads.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "tests/io/child.h"

namespace ingot {
namespace {

struct Calls {
  std::array<std::atomic<int>, 16> of{};  // by number
  std::atomic<int> by_caller{0};
  pthread_t caller = pthread_self();

  static void work(void* context, int i) {
    auto* calls = static_cast<Calls*>(context);
    ++calls->of[static_cast<std::size_t>(i)];
    if (pthread_equal(pthread_self(), calls->caller) != 0) ++calls->by_caller;
  }
};

TEST(ThreadsTest, EachNumberIsCalledOnceAndAllHaveReturned) {
  Calls calls;
  const int count = run_on_threads(5, &Calls::work, &calls);
  EXPECT_EQ(count, 5);
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(calls.of[static_cast<std::size_t>(i)], i < count ? 1 : 0) << i;
  }
  EXPECT_EQ(calls.by_caller, 1);
}

TEST(ThreadsTest, TheCallersIsAlwaysThere) {
  for (const int asked : {1, 0, -3}) {
    Calls calls;
    EXPECT_EQ(run_on_threads(asked, &Calls::work, &calls), 1);
    EXPECT_EQ(calls.of[0], 1);
    EXPECT_EQ(calls.by_caller, 1);
  }
}

TEST(ThreadsTest, ThereIsAProcessor) { EXPECT_GE(available_threads(), 1); }

// A kernel with room for many processors takes no smaller set than its own: EINVAL.
TEST(ThreadsTest, KernelsWithManyProcessors) {
  const int threads = available_threads();
  const int result = io::in_child([&] {
    if (!io::refuse_small(SYS_sched_getaffinity, 1, 8192 / 8, EINVAL)) return io::kNoFilters;
    return available_threads() == threads ? 0 : 1;
  });
  if (result == io::kNoFilters) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace ingot
