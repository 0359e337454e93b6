// On the operating system's own files: every queue, O_DIRECT and not, make the same bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "../support/scratch.h"
#include "../support/status_matchers.h"
#include "model.h"

namespace ingot::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using writer::Session;
using writer::Tuning;

Content read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return {as_bytes(text).begin(), as_bytes(text).end()};
}

class RealFile : public ::testing::Test {
 protected:
  // Saves and compares. The report, or an empty one where the machine lacks what was asked for.
  WriteReport save_and_compare(const Model& model, const WriterOptions& options,
                               const Tuning& tuning, const Content& expected) {
    const std::string path = scratch_.path("model.ingot");
    auto session = Session::create(path, model.plan, options, tuning);
    if (session.status().code() == Code::kUnsupported) return {};
    EXPECT_OK(session);
    EXPECT_OK(write_all(**session, model));
    EXPECT_OK((*session)->commit());
    EXPECT_EQ(difference(read_file(path), expected), "");
    return (*session)->report();
  }

  const Scratch scratch_;
};

TEST_F(RealFile, EveryQueueAndWay) {
  const Model model = mixed_model();
  const Content expected = saved(model);
  for (const DirectIo direct : {DirectIo::kOn, DirectIo::kOff}) {
    for (const io::QueueKind queue : {io::QueueKind::kAuto, io::QueueKind::kIoUring,
                                      io::QueueKind::kThreads, io::QueueKind::kSynchronous}) {
      for (const bool read_back : {false, true}) {
        const WriterOptions options{
            .direct = direct, .read_back = read_back, .staging_bytes = 1 << 20};
        const Tuning tuning{.slot_bytes = 128 << 10, .queue = queue, .synchronous_bytes = 0};
        const WriteReport report = save_and_compare(model, options, tuning, expected);
        if (report.io_path.empty()) continue;
        EXPECT_THAT(report.io_path,
                    StartsWith(direct == DirectIo::kOn ? "O_DIRECT, " : "buffered, "));
      }
    }
  }
}

TEST_F(RealFile, ManySmallTensors) {
  const Model model = uniform_model(20'000, 1000);
  const Content expected = saved(model);
  EXPECT_OK(check_file(expected, model));
  for (const DirectIo direct : {DirectIo::kOn, DirectIo::kOff}) {
    save_and_compare(model, {.direct = direct}, {}, expected);
  }
}

TEST_F(RealFile, ThreadsShareALargeTensor) {
  const Model model = uniform_model(2, 30'000'001);
  const Content expected = saved(model);
  EXPECT_OK(check_file(expected, model));
  for (const int threads : {0, 1, 3}) {
    save_and_compare(model, {.threads = threads}, {.direct_bytes = 0}, expected);
  }
}

TEST_F(RealFile, AutoTakesThePageCacheForSmallFiles) {
  const Model model = uniform_model(1, 100);
  const WriteReport report = save_and_compare(model, {}, {}, saved(model));
  EXPECT_EQ(report.io_path, "buffered, synchronous");
  EXPECT_THAT(report.io_reason, HasSubstr("O_DIRECT pays from 64.0 MiB"));
}

TEST_F(RealFile, WithoutDurabilityTheFileIsTheSame) {
  const Model model = mixed_model();
  save_and_compare(model, {.durability = Durability::kNone, .read_back = true}, {}, saved(model));
}

// A mapping, or an open file, of the old checkpoint goes on seeing it.
TEST_F(RealFile, ReplacingLeavesTheOldFileAsItWas) {
  const Model first = uniform_model(1, 100'000);
  Model second = first;
  second.content[0] = pattern(77, 100'000);
  const std::string path = scratch_.path("model.ingot");
  ASSERT_OK(save(path, first, {}));
  const Content before = read_file(path);
  std::ifstream open_before(path, std::ios::binary);
  ASSERT_OK(save(path, second, {}));
  const std::string text{std::istreambuf_iterator<char>(open_before), {}};
  EXPECT_EQ(Content(as_bytes(text).begin(), as_bytes(text).end()), before);
  EXPECT_OK(check_file(read_file(path), second));
}

TEST_F(RealFile, OnlyRegularFilesAreReplaced) {
  const Model model = uniform_model(1, 100);
  const std::string link = scratch_.path("latest.ingot");
  ASSERT_EQ(::symlink("step-1.ingot", link.c_str()), 0);
  EXPECT_THAT(save(link, model, {}), StatusIs(Code::kAlreadyExists, HasSubstr(link + ": only a")));
  EXPECT_FALSE(std::filesystem::exists(scratch_.path("step-1.ingot")));
}

TEST_F(RealFile, ReplacingKeepsThePermissions) {
  const Model model = uniform_model(1, 100);
  const std::string path = scratch_.path("model.ingot");
  ASSERT_OK(save(path, model, {}));
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  ASSERT_OK(save(path, model, {}));
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms{0600});
}

TEST_F(RealFile, MissingFolder) {
  const Model model = uniform_model(1, 100);
  EXPECT_THAT(save(scratch_.path("nowhere/model.ingot"), model, {}), StatusIs(Code::kNotFound));
}

TEST(NoDirect, OnIsRefusedAndAutoSaysWhy) {
  io::MemoryFileSystem file_system;  // without O_DIRECT
  const Model model = uniform_model(1, 100'000);
  WriterOptions options = options_on(file_system);
  options.direct = DirectIo::kOn;
  EXPECT_THAT(Writer::create("model.ingot", model.plan, options), StatusIs(Code::kUnsupported));
  options.direct = DirectIo::kAuto;
  auto session = Session::create("model.ingot", model.plan, options, {.direct_bytes = 0});
  ASSERT_OK(session);
  EXPECT_THAT((*session)->report().io_path, StartsWith("buffered"));
  EXPECT_THAT((*session)->report().io_reason, HasSubstr("no O_DIRECT"));
}

}  // namespace
}  // namespace ingot::testing
