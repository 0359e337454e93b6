// Files that change while they are open and mapped, by another process: errors, never a signal and
// never wrong bytes.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "ingot/verify.h"

#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::AnyOf;

// Runs `work` in a process of its own and waits for its end.
void in_another_process(const std::function<void()>& work) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    work();
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

class HazardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(write_sample(path_, plan_));
    checkpoint_ = std::make_unique<Checkpoint>(*Checkpoint::open(path_));
  }
  void truncate_to(std::uint64_t length) {
    in_another_process([&] {
      if (::truncate(path_.c_str(), static_cast<off_t>(length)) != 0) _exit(1);
    });
  }
  // Reads everything by every way that goes through io: what it gets must be right or an error.
  void expect_errors_or_right_bytes() {
    for (std::uint32_t i = 0; i < checkpoint_->tensor_count(); ++i) {
      const TensorInfo tensor = checkpoint_->info(i);
      for (Verify mode : {Verify::kYes, Verify::kNo}) {
        Blob content(tensor.bytes);
        const Status status = checkpoint_->read(tensor, content, mode);
        if (status.ok()) {
          EXPECT_EQ(content, tensor_content(plan_, tensor));
        } else {
          EXPECT_THAT(status.code(), AnyOf(Code::kIoError, Code::kChecksumMismatch));
        }
      }
    }
  }
  VerifyReport run(ReadPath path) {
    Result<VerifyReport> report = verify(*checkpoint_, {.path = path, .keep_going = true});
    EXPECT_OK(report);
    return report.ok() ? *report : VerifyReport{};
  }

  const WritePlan plan_ = mixed_plan();
  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
  std::unique_ptr<Checkpoint> checkpoint_;
};

// At each border of a chunk, and one byte on either side.
TEST_F(HazardTest, Truncated) {
  const Blob intact = read_file(path_);
  for (std::uint64_t border = 0; border < intact.size(); border += 65536) {
    for (std::uint64_t length : {border, border + 1, border + 4095}) {
      if (length >= intact.size()) continue;
      write_file(path_, intact);
      checkpoint_ = std::make_unique<Checkpoint>(*Checkpoint::open(path_));
      truncate_to(length);
      expect_errors_or_right_bytes();
      EXPECT_THAT(checkpoint_->check_unchanged(), StatusIs(Code::kIoError));
      for (ReadPath path : {ReadPath::kRead, ReadPath::kMapping}) {
        const VerifyReport report = run(path);
        EXPECT_FALSE(report.intact());
        EXPECT_EQ(report.errors.back().code(), Code::kTruncated);
      }
    }
  }
}

TEST_F(HazardTest, TruncatedAndExtendedAgain) {
  const Blob intact = read_file(path_);
  truncate_to(70000);
  truncate_to(intact.size());  // zeros now
  expect_errors_or_right_bytes();
  for (ReadPath path : {ReadPath::kRead, ReadPath::kMapping}) {
    const VerifyReport report = run(path);
    EXPECT_GT(report.error_count, 1U);
    EXPECT_EQ(report.errors[0].code(), Code::kChecksumMismatch);
  }
}

TEST_F(HazardTest, RewrittenInPlace) {
  const Blob other = noise(read_file(path_).size(), 99);
  in_another_process([&] {
    const int file = ::open(path_.c_str(), O_WRONLY);
    if (::pwrite(file, other.data(), other.size(), 0) != static_cast<ssize_t>(other.size()))
      _exit(1);
  });
  expect_errors_or_right_bytes();
  EXPECT_FALSE(run(ReadPath::kRead).intact());
}

// A save takes the name: whoever has the old file open keeps the old bytes.
TEST_F(HazardTest, RenamedOver) {
  const TensorView view = *checkpoint_->tensor("embed.weight");
  const std::string next = scratch_.path("next.ingot");
  write_file(next, noise(100, 1));
  in_another_process([&] {
    if (::rename(next.c_str(), path_.c_str()) != 0) _exit(1);
  });
  EXPECT_TRUE(std::ranges::equal(view.bytes, tensor_content(plan_, view.info)));
  EXPECT_TRUE(run(ReadPath::kRead).intact());
  EXPECT_TRUE(run(ReadPath::kMapping).intact());
  EXPECT_OK(checkpoint_->check_unchanged());
  EXPECT_THAT(Checkpoint::open(path_), StatusIs(Code::kCorrupt));
}

TEST_F(HazardTest, SavedOver) {
  WritePlan other;
  other.add({.name = "other", .shape = {9}});
  const TensorView view = *checkpoint_->tensor("adam/exp_avg");
  ASSERT_OK(write_sample(path_, other));
  EXPECT_TRUE(std::ranges::equal(view.bytes, tensor_content(plan_, view.info)));
  EXPECT_TRUE(run(ReadPath::kRead).intact());
  EXPECT_EQ(Checkpoint::open(path_)->tensor_count(), 1U);
}

TEST_F(HazardTest, Unlinked) {
  in_another_process([&] {
    if (::unlink(path_.c_str()) != 0) _exit(1);
  });
  expect_errors_or_right_bytes();
  EXPECT_TRUE(run(ReadPath::kRead).intact());
  EXPECT_TRUE(run(ReadPath::kMapping).intact());
}

// Somebody truncates and restores the file over and over while it is verified and read. Nothing may
// end in a signal; bytes that are returned are right.
TEST_F(HazardTest, TruncatedAgainAndAgain) {
  const Blob intact = read_file(path_);
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(pipe_ends[1]);
    ::fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
    const int file = ::open(path_.c_str(), O_WRONLY);
    char byte = 0;
    for (std::uint64_t i = 0; ::read(pipe_ends[0], &byte, 1) != 0; ++i) {  // until it is closed
      if (::ftruncate(file, static_cast<off_t>(i * 40961 % intact.size())) != 0) _exit(1);
      if (::pwrite(file, intact.data(), intact.size(), 0) < 0) _exit(1);
    }
    _exit(0);
  }
  ::close(pipe_ends[0]);
  for (int round = 0; round < 200; ++round) {
    EXPECT_OK(verify(*checkpoint_, {.path = ReadPath::kRead, .keep_going = true}));
    const TensorInfo tensor = checkpoint_->info(static_cast<std::uint32_t>(round % 10));
    Blob content(tensor.bytes);
    if (checkpoint_->read(tensor, content).ok()) {
      EXPECT_EQ(content, tensor_content(plan_, tensor));
    }
  }
  ::close(pipe_ends[1]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ingot::testing
