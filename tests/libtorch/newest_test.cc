// Resuming from a directory: the newest that verifies, what was skipped on the way, what is read.
#include <filesystem>
#include <fstream>

#include "io/fault_file_system.h"
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

using torch::Tensor;

class NewestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const int step : {1, 2, 3}) {
      tensor_.fill_(step);
      save(run_.path_for(static_cast<std::uint64_t>(step)), state(), quick());
    }
    tensor_.fill_(0);
  }
  TrainingState state() { return TrainingState().tensor("t", tensor_); }
  // Changes a byte in the middle of the tensor.
  void damage(std::uint64_t step) const {
    const Checkpoint checkpoint = *Checkpoint::open(run_.path_for(step));
    std::fstream file(run_.path_for(step), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(checkpoint.storage(0).offset + 2000));
    file.put('\x55');
  }
  float value() const { return tensor_[0].item<float>(); }

  ingot::testing::Scratch scratch_;
  const CheckpointDirectory run_{scratch_.folder()};
  Tensor tensor_ = torch::zeros({1000});
};

TEST_F(NewestTest, IsLoadedInOneLine) {
  EXPECT_TRUE(load(newest(scratch_.folder()), state()).exact());
  EXPECT_EQ(value(), 3);
  EXPECT_TRUE(newest(scratch_.folder()).skipped.empty());
}

TEST_F(NewestTest, DamagedOnesAreSkippedAndTold) {
  damage(3);
  std::filesystem::resize_file(run_.path_for(2), 5000);
  const NewestCheckpoint found = newest(scratch_.folder());
  EXPECT_EQ(found.step, 1U);
  ASSERT_EQ(found.skipped.size(), 2U);
  EXPECT_EQ(found.skipped[0].path, run_.path_for(3));
  EXPECT_EQ(found.skipped[0].status.code(), Code::kChecksumMismatch);
  EXPECT_EQ(found.skipped[1].step, 2U);
  EXPECT_EQ(found.skipped[1].status.code(), Code::kTruncated);
  load(found, state());
  EXPECT_EQ(value(), 1);
}

TEST_F(NewestTest, NothingAndNothingGoodAreErrors) {
  for (const std::uint64_t step : {1U, 2U, 3U}) damage(step);
  EXPECT_EQ(code_of([&] { newest(scratch_.folder()); }), Code::kCorrupt);
  EXPECT_EQ(code_of([&] { newest(scratch_.path("nowhere")); }), Code::kNotFound);
}

// What newest() proved is read once; what it only opened is proven and read.
TEST_F(NewestTest, ProvenOnce) {
  io::FaultFileSystem counting(io::posix());
  std::uint64_t reads = 0;
  counting.set_observer([&](std::uint64_t, io::Call call, const std::string&) {
    if (call == io::Call::kRead) ++reads;
  });
  const CheckpointDirectory watched(scratch_.folder(), &counting);
  const auto reads_of_load = [&](VerifyLevel level) {
    const NewestCheckpoint found = *watched.newest({.level = level, .threads = 1});
    EXPECT_EQ(found.level, level);
    reads = 0;
    load(found, state(), {.threads = 1});
    return reads;
  };
  const std::uint64_t once = reads_of_load(VerifyLevel::kFull);
  EXPECT_GE(once, 1U);
  EXPECT_EQ(reads_of_load(VerifyLevel::kIndex), 2 * once);
}

// Damage after newest() is still found.
TEST_F(NewestTest, WhatIsReadIsProvenAllTheSame) {
  const NewestCheckpoint found = newest(scratch_.folder());
  damage(3);
  EXPECT_EQ(code_of([&] { load(found, state()); }), Code::kChecksumMismatch);
}

}  // namespace
}  // namespace ingot::libtorch::testing
