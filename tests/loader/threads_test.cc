// One checkpoint, many threads.
#include <algorithm>
#include <thread>
#include <vector>

#include "ingot/verify.h"

#include "loader/cancel_watch.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

TEST(ThreadsTest, SixteenReaders) {
  const WritePlan plan = mixed_plan();
  Scratch scratch;
  const std::string path = scratch.path("f");
  ASSERT_OK(write_sample(path, plan));
  ASSERT_OK_AND_ASSIGN(const Checkpoint shared, Checkpoint::open(path));
  const auto work = [&](unsigned self) {
    const Checkpoint checkpoint = shared;
    for (unsigned round = 0; round < 20; ++round) {
      const TensorInfo tensor = checkpoint.info((self + round) % checkpoint.tensor_count());
      const Blob expected = tensor_content(plan, tensor);
      EXPECT_EQ(checkpoint.find(tensor.name)->ordinal, tensor.ordinal);
      Blob content(tensor.bytes);
      EXPECT_OK(checkpoint.read(tensor, content, round % 2 == 0 ? Verify::kYes : Verify::kNo));
      EXPECT_EQ(content, expected);
      const auto view = checkpoint.view(tensor);
      EXPECT_TRUE(std::ranges::equal(view->bytes, expected));
      const auto mine = checkpoint.mutable_view(tensor);
      std::ranges::fill(mine->bytes, static_cast<std::byte>(self));
      if (tensor.is_contiguous()) {
        Blob slice(tensor.bytes);
        EXPECT_OK(checkpoint.read_slice(tensor, {}, slice));
        EXPECT_EQ(slice, expected);
      }
      if (round % 5 == 0) {
        EXPECT_TRUE(verify(checkpoint, {.threads = 2})->intact());
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 16; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

// Opening and closing while views of other openings live.
TEST(ThreadsTest, ManyOpenings) {
  const WritePlan plan = mixed_plan();
  Scratch scratch;
  const std::string path = scratch.path("f");
  ASSERT_OK(write_sample(path, plan));
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        const auto view = Checkpoint::open(path)->tensor("packed");
        EXPECT_TRUE(std::ranges::equal(view->bytes, tensor_content(plan, view->info)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Verifications and loads look at their flag through this.
TEST(CancelWatch, ACancelThatIsTakenBackStays) {
  CancelFlag flag{false};
  const loader::CancelWatch watch(&flag);
  EXPECT_FALSE(watch.cancelled());
  flag = true;
  EXPECT_TRUE(watch.cancelled());
  flag = false;
  EXPECT_TRUE(watch.cancelled());
  EXPECT_FALSE(loader::CancelWatch(nullptr).cancelled());
}

}  // namespace
}  // namespace ingot::testing
