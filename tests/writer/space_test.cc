// Full disks, quotas and limits: known before the first byte where the file system can tell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "../support/scratch.h"
#include "../support/status_matchers.h"
#include "io/fault_file_system.h"
#include "model.h"

namespace ingot::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Space : public ::testing::Test {
 protected:
  Space() {
    file_system_.put("model.ingot", old_);
    faults_.set_observer([this](std::uint64_t, io::Call call, const std::string&) {
      if (call == io::Call::kWrite) ++writes_;
    });
  }

  void expect_untouched() {
    EXPECT_EQ(file_system_.content("model.ingot"), old_);
    EXPECT_THAT(file_system_.names(), ElementsAre("model.ingot"));
  }

  const Model model_ = mixed_model();
  const Content old_ = pattern(9, 10'000);
  io::MemoryFileSystem file_system_;
  io::FaultFileSystem faults_{file_system_};
  int writes_ = 0;
};

TEST_F(Space, NeedXHaveYBeforeTheFirstByte) {
  file_system_.set_capacity(2 << 20);
  EXPECT_THAT(save("model.ingot", model_, options_on(faults_)),
              StatusIs(Code::kResourceExhausted, AllOf(HasSubstr("need 3.1 MiB (3248128 bytes)"),
                                                       HasSubstr("have 2.0 MiB"))));
  EXPECT_EQ(writes_, 0);
  expect_untouched();
}

TEST_F(Space, ExactlyEnoughIsEnough) {
  const std::uint64_t need = saved(model_).size();
  file_system_.set_capacity(need + 3 * 4096);  // the old file has three pages
  EXPECT_OK(save("model.ingot", model_, options_on(faults_)));
  EXPECT_OK(check_file(file_system_.content("model.ingot"), model_));
}

TEST_F(Space, OnePageLessIsNot) {
  const std::uint64_t need = saved(model_).size();
  file_system_.set_capacity(need + 2 * 4096);
  EXPECT_THAT(save("model.ingot", model_, options_on(faults_)), StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(writes_, 0);
  expect_untouched();
}

// Free space that vanishes while the file is written, where nothing can be reserved: for every
// page.
TEST_F(Space, DiskThatFillsUpWhileWriting) {
  file_system_.set_features({.allocate = false});
  const Model model = twelve_pages(3);
  for (std::uint64_t pages = 3; pages < 3 + 12; ++pages) {
    file_system_.set_capacity(std::uint64_t{1} << 40);
    auto writer = Writer::create("model.ingot", model.plan, options_on(file_system_));
    ASSERT_OK(writer);
    file_system_.set_capacity(pages * 4096);
    Status status = write_all(*writer, model);
    if (status.ok()) status = writer->commit();
    EXPECT_THAT(status, StatusIs(Code::kResourceExhausted)) << pages;
  }
  expect_untouched();
}

// In a child: the limit is the process's. SIGXFSZ is ignored as a server would.
TEST(FileSizeLimit, IsAnErrorAndNoSignal) {
  const Scratch scratch;
  const std::string path = scratch.path("model.ingot");
  const Model model = mixed_model();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1 << 20, 1 << 20};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(9);
    const Status status = save(path, model, {});
    _exit(status.code() == Code::kResourceExhausted || status.code() == Code::kIoError ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(access(path.c_str(), F_OK), -1);
}

}  // namespace
}  // namespace ingot::testing
