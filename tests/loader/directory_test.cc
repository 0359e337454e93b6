// Directories of checkpoints: names, the newest that verifies, pruning that never takes the last
// good one, also when it is cut short.
#include "ingot/directory.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <limits>

#include "io/fault_file_system.h"
#include "io/memory_file_system.h"
#include "tests/io/child.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename Files>
std::vector<std::uint64_t> steps_of(const Files& files) {
  std::vector<std::uint64_t> steps;
  steps.reserve(files.size());
  for (const auto& file : files) steps.push_back(file.step);
  return steps;
}

TEST(DirectoryNames, OneNameAStepThatSorts) {
  const CheckpointDirectory run("runs/7");
  EXPECT_EQ(run.path_for(1000), "runs/7/step-00000000001000.ingot");
  EXPECT_EQ(CheckpointDirectory("/").path_for(0), "/step-00000000000000.ingot");
  EXPECT_EQ(CheckpointDirectory("").path_for(7), "step-00000000000007.ingot");
  EXPECT_EQ(CheckpointDirectory("a").path_for(123456789012345), "a/step-123456789012345.ingot");
  EXPECT_LT(run.path_for(999), run.path_for(1000));
}

TEST(DirectoryNames, AreReadBack) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{1000}, kLargest}) {
    EXPECT_EQ(CheckpointDirectory::step_of(CheckpointDirectory("").path_for(step)), step);
  }
  EXPECT_EQ(CheckpointDirectory::step_of("step-7.ingot"), 7U);
  EXPECT_EQ(CheckpointDirectory::step_of("step-" + std::string(100, '0') + "7.ingot"), 7U);
}

TEST(DirectoryNames, OthersAreForeign) {
  for (const char* name :
       {"", "step-.ingot", "step.ingot", "step-7", "step-7.ingot.tmp", "7.ingot", "Step-7.ingot",
        "step--7.ingot", "step-+7.ingot", "step- 7.ingot", "step-7 .ingot", "step-7a.ingot",
        "step-0x7.ingot", "step-7.5.ingot", "step-18446744073709551616.ingot",
        ".step-00000000000007.ingot.tmp.0123456789abcdef", "xstep-7.ingot", "step-7.safetensors"}) {
    EXPECT_EQ(CheckpointDirectory::step_of(name), std::nullopt) << name;
  }
}

// In memory, below a file system that can fail.
class DirectoryTest : public ::testing::Test {
 protected:
  static constexpr const char* kFolder = "run";

  void save(std::uint64_t step) { save_as(run_.path_for(step)); }
  void save(std::initializer_list<std::uint64_t> steps) {
    for (const std::uint64_t step : steps) save(step);
  }
  void save_as(const std::string& path) {
    WriterOptions options = quick_options();
    options.durability = Durability::kFull;
    options.file_system = &memory_;
    ASSERT_OK(write_sample(path, plan(), options));
  }
  static WritePlan plan() {
    WritePlan plan;
    plan.add({.name = "w", .shape = {1000}});
    return plan;
  }
  void edit(std::uint64_t step, const std::function<void(Blob&)>& change) {
    Blob content = memory_.content(run_.path_for(step));
    ASSERT_FALSE(content.empty());
    change(content);
    memory_.put(run_.path_for(step), content);
  }
  // Damage that open() does not see.
  void damage_data(std::uint64_t step) {
    edit(step, [](Blob& content) { content[5000] ^= std::byte{1}; });
  }
  void truncate(std::uint64_t step) {
    edit(step, [](Blob& content) { content.resize(content.size() - 4096); });
  }
  std::vector<std::uint64_t> steps() const {
    const auto files = run_.list();
    EXPECT_OK(files);
    return files.ok() ? steps_of(*files) : std::vector<std::uint64_t>{};
  }
  void fail(io::Call call, int error, std::uint64_t at = 0, bool forever = false) {
    io::Fault fault;
    fault.os_error = error;
    fault.at = at;
    fault.forever = forever;
    fault.only = {call};
    faults_.set_fault(fault);
  }

  io::MemoryFileSystem memory_;
  io::FaultFileSystem faults_{memory_};
  const CheckpointDirectory run_{kFolder, &faults_};
};

TEST_F(DirectoryTest, ListsStepsInOrderAndNothingElse) {
  save({20, 3, 100'000'000'000'000, 1000});
  save_as("run/step-00000000000500.ingot.bak");
  save_as("run/model.ingot");
  save_as("elsewhere/step-00000000000007.ingot");
  save_as("run/.step-00000000000007.ingot.tmp.0123456789abcdef");
  EXPECT_THAT(steps(), ElementsAre(3, 20, 1000, 100'000'000'000'000));
  EXPECT_EQ((*run_.list())[0].path, "run/step-00000000000003.ingot");
}

TEST_F(DirectoryTest, OrderIsByNumber) {
  for (const char* name : {"run/step-9.ingot", "run/step-10.ingot", "run/step-08.ingot"}) {
    save_as(name);
  }
  EXPECT_THAT(steps(), ElementsAre(8, 9, 10));
}

TEST_F(DirectoryTest, OfTwoNamesForAStepTheLongerIsNewer) {
  save(20);
  save_as("run/step-20.ingot");
  const auto files = run_.list();
  ASSERT_OK(files);
  EXPECT_THAT(*files, ElementsAre(CheckpointFile{20, "run/step-20.ingot"},
                                  CheckpointFile{20, run_.path_for(20)}));
}

TEST_F(DirectoryTest, NewestOfSeveral) {
  save({5, 30, 200});
  ASSERT_OK_AND_ASSIGN(const NewestCheckpoint newest, run_.newest());
  EXPECT_EQ(newest.step, 200U);
  EXPECT_EQ(newest.path, run_.path_for(200));
  EXPECT_EQ(newest.checkpoint.file().path, newest.path);
  EXPECT_THAT(newest.skipped, IsEmpty());
  EXPECT_EQ(newest.level, VerifyLevel::kFull);
}

TEST_F(DirectoryTest, ADamagedNewestIsSkippedAndReported) {
  save({1, 2, 3, 4});
  damage_data(4);
  truncate(3);
  ASSERT_OK_AND_ASSIGN(const NewestCheckpoint newest, run_.newest());
  EXPECT_EQ(newest.step, 2U);
  ASSERT_THAT(steps_of(newest.skipped), ElementsAre(4, 3));
  EXPECT_EQ(newest.skipped[0].path, run_.path_for(4));
  EXPECT_THAT(newest.skipped[0].status, StatusIs(Code::kChecksumMismatch));
  EXPECT_THAT(newest.skipped[1].status, StatusIs(Code::kTruncated));
}

TEST_F(DirectoryTest, TheLevelSaysWhatCounts) {
  save(1);
  save(2);
  damage_data(2);
  ASSERT_OK_AND_ASSIGN(const NewestCheckpoint quick, run_.newest({.level = VerifyLevel::kIndex}));
  EXPECT_EQ(quick.step, 2U);
  ASSERT_OK_AND_ASSIGN(const NewestCheckpoint proven, run_.newest());
  EXPECT_EQ(proven.step, 1U);
}

TEST_F(DirectoryTest, LimitsCountToo) {
  save(1);
  EXPECT_THAT(run_.newest({.limits = {.max_index_bytes = 1}}), StatusIs(Code::kCorrupt));
  ASSERT_OK_AND_ASSIGN(const PruneReport report, run_.prune(1, {.limits = {.max_index_bytes = 1}}));
  EXPECT_THAT(steps_of(report.damaged), ElementsAre(1));
}

TEST_F(DirectoryTest, NoneIsNotFound) {
  EXPECT_THAT(run_.newest(), StatusIs(Code::kNotFound, HasSubstr("run: no checkpoint in the")));
  save_as("run/model.ingot");
  EXPECT_THAT(run_.newest(), StatusIs(Code::kNotFound, HasSubstr("run: no checkpoint in the")));
  save(1);
  truncate(1);
  EXPECT_THAT(run_.newest(), StatusIs(Code::kCorrupt, AllOf(HasSubstr("1 that does not"),
                                                            HasSubstr("truncated: "))));
  save(2);
  damage_data(2);
  EXPECT_THAT(run_.newest(),
              StatusIs(Code::kCorrupt,
                       AllOf(HasSubstr("found 2 that do not"), HasSubstr("the newest: checksum"),
                             HasSubstr("step-00000000000002.ingot"))));
}

TEST_F(DirectoryTest, WhatCannotBeReadIsSkipped) {
  save(1);
  save(2);
  for (const int error : {ENOENT, EIO, EMFILE, EACCES}) {
    fail(io::Call::kOpen, error);
    ASSERT_OK_AND_ASSIGN(const NewestCheckpoint newest, run_.newest());
    EXPECT_EQ(newest.step, 1U);
    ASSERT_THAT(steps_of(newest.skipped), ElementsAre(2));
    EXPECT_EQ(newest.skipped[0].status.os_error(), error);
  }
  // Deleted between the listing and the look.
  faults_.clear();
  faults_.set_observer([&](std::uint64_t, io::Call call, const std::string&) {
    if (call == io::Call::kOpen && memory_.exists(run_.path_for(2))) {
      EXPECT_OK(memory_.remove(run_.path_for(2)));
    }
  });
  ASSERT_OK_AND_ASSIGN(const NewestCheckpoint newest, run_.newest());
  EXPECT_EQ(newest.step, 1U);
  EXPECT_THAT(newest.skipped[0].status, StatusIs(Code::kNotFound));
}

TEST_F(DirectoryTest, TheHandleOutlivesTheName) {
  save(1);
  ASSERT_OK_AND_ASSIGN(const NewestCheckpoint newest, run_.newest());
  ASSERT_OK(memory_.remove(newest.path));
  Blob content(4000);
  ASSERT_OK(newest.checkpoint.read(*newest.checkpoint.find("w"), content));
  EXPECT_EQ(content, storage_content(plan(), StorageId{0}));
}

TEST_F(DirectoryTest, FoldersThatCannotBeListed) {
  save(1);
  fail(io::Call::kList, EACCES, 0, true);
  EXPECT_THAT(run_.list(), StatusIs(Code::kIoError));
  EXPECT_THAT(run_.newest(), StatusIs(Code::kIoError));
  EXPECT_THAT(run_.prune(1), StatusIs(Code::kIoError));
}

TEST_F(DirectoryTest, Cancelled) {
  save(1);
  save(2);
  const CancelFlag cancel = true;
  EXPECT_THAT(run_.newest({.cancel = &cancel}), StatusIs(Code::kCancelled));
  EXPECT_THAT(run_.newest({.level = VerifyLevel::kIndex, .cancel = &cancel}),
              StatusIs(Code::kCancelled));
  fail(io::Call::kOpen, EIO, 1000);
  EXPECT_THAT(run_.prune(1, {.cancel = &cancel}), StatusIs(Code::kCancelled));
  EXPECT_EQ(faults_.calls(), 0U);  // opens
  EXPECT_THAT(steps(), ElementsAre(1, 2));
}

// While it verifies, rather than before: nothing is deleted.
TEST_F(DirectoryTest, CancelledMeanwhile) {
  save({1, 2, 3});
  CancelFlag cancel = false;
  const ProgressCallback progress = {
      [](void* flag, std::uint64_t, std::uint64_t) { static_cast<CancelFlag*>(flag)->store(true); },
      &cancel};
  EXPECT_THAT(run_.prune(1, {.progress = progress, .cancel = &cancel}), StatusIs(Code::kCancelled));
  EXPECT_TRUE(cancel.load());
  EXPECT_THAT(steps(), ElementsAre(1, 2, 3));
}

TEST_F(DirectoryTest, ArgumentsThatMakeNoSense) {
  save(1);
  EXPECT_THAT(run_.prune(0), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(run_.prune(1, {.threads = -1}), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(run_.newest({.threads = -1}), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(steps(), ElementsAre(1));
}

TEST_F(DirectoryTest, PruneKeepsTheNewest) {
  save({10, 20, 30, 40});
  save_as("run/model.ingot");
  ASSERT_OK_AND_ASSIGN(const PruneReport report, run_.prune(2));
  EXPECT_THAT(steps_of(report.kept), ElementsAre(30, 40));
  EXPECT_THAT(steps_of(report.removed), ElementsAre(10, 20));
  EXPECT_THAT(report.damaged, IsEmpty());
  EXPECT_THAT(steps(), ElementsAre(30, 40));
  EXPECT_TRUE(memory_.exists("run/model.ingot"));
  // Durable: nothing that a power cut could bring back.
  const auto after = memory_.crash([](const auto&) { return io::MemoryFileSystem::Fate::kLost; });
  EXPECT_FALSE(after->exists(run_.path_for(10)));
  EXPECT_FALSE(after->exists(run_.path_for(20)));
  EXPECT_TRUE(after->exists(run_.path_for(40)));
}

TEST_F(DirectoryTest, PruneWithFewerThanItKeeps) {
  ASSERT_OK_AND_ASSIGN(const PruneReport none, run_.prune(3));
  EXPECT_THAT(none.kept, IsEmpty());
  save(1);
  save(2);
  for (const std::uint64_t keep :
       {std::uint64_t{2}, std::uint64_t{3}, std::numeric_limits<std::uint64_t>::max()}) {
    ASSERT_OK_AND_ASSIGN(const PruneReport report, run_.prune(keep));
    EXPECT_THAT(steps_of(report.kept), ElementsAre(1, 2));
    EXPECT_THAT(report.removed, IsEmpty());
  }
  EXPECT_THAT(steps(), ElementsAre(1, 2));
}

TEST_F(DirectoryTest, PruneDoesNotCountDamagedOnes) {
  save({1, 2, 3, 4});
  damage_data(4);
  truncate(2);
  ASSERT_OK_AND_ASSIGN(const PruneReport report, run_.prune(1));
  EXPECT_THAT(steps_of(report.kept), ElementsAre(3));
  EXPECT_THAT(steps_of(report.removed), ElementsAre(1));
  ASSERT_THAT(steps_of(report.damaged), ElementsAre(2, 4));
  EXPECT_THAT(report.damaged[0].status, StatusIs(Code::kTruncated));
  EXPECT_THAT(report.damaged[1].status, StatusIs(Code::kChecksumMismatch));
  EXPECT_THAT(steps(), ElementsAre(2, 3, 4));
}

// Every choice of damaged files, kept numbers and both ways to treat damage.
TEST_F(DirectoryTest, PruneNeverTakesTheOnlyGoodOne) {
  constexpr std::uint64_t kFiles = 4;
  for (unsigned damaged = 0; damaged < 1U << kFiles; ++damaged) {
    for (const std::uint64_t keep : {1U, 2U}) {
      for (const bool remove_damaged : {false, true}) {
        std::vector<std::uint64_t> good;
        for (std::uint64_t step = 0; step < kFiles; ++step) {
          save(step);
          if ((damaged >> step & 1) != 0) {
            damage_data(step);
          } else {
            good.push_back(step);
          }
        }
        ASSERT_OK(run_.prune(keep, {.remove_damaged = remove_damaged}));
        const std::size_t expected_good = std::min<std::size_t>(good.size(), keep);
        const std::vector<std::uint64_t> kept(
            good.end() - static_cast<std::ptrdiff_t>(expected_good), good.end());
        std::vector<std::uint64_t> expected;
        for (std::uint64_t step = 0; step < kFiles; ++step) {
          const bool is_damaged = (damaged >> step & 1) != 0;
          const bool superseded = !good.empty() && step < good.back();
          if (is_damaged ? !(remove_damaged && superseded) : std::ranges::count(kept, step) == 1) {
            expected.push_back(step);
          }
        }
        EXPECT_EQ(steps(), expected) << damaged << " keep " << keep << " " << remove_damaged;
      }
    }
  }
}

TEST_F(DirectoryTest, PruneRemovesOnlyProvenDamage) {
  save(1);
  save(2);
  save(3);
  truncate(2);
  // The file of step 1 opens last.
  fail(io::Call::kOpen, EIO, 2);
  ASSERT_OK_AND_ASSIGN(const PruneReport report, run_.prune(1, {.remove_damaged = true}));
  EXPECT_TRUE(faults_.fired());
  EXPECT_THAT(steps_of(report.damaged), ElementsAre(1, 2));
  EXPECT_THAT(steps_of(report.removed), ElementsAre(2));
  EXPECT_THAT(steps(), ElementsAre(1, 3));
}

TEST_F(DirectoryTest, DryRunRemovesNothing) {
  save({1, 2, 3});
  truncate(1);
  ASSERT_OK_AND_ASSIGN(const PruneReport report,
                       run_.prune(1, {.remove_damaged = true, .dry_run = true}));
  EXPECT_THAT(steps_of(report.removed), ElementsAre(1, 2));
  EXPECT_THAT(steps(), ElementsAre(1, 2, 3));
}

// The process dies at any call, or the power fails after it with any subset of the removals done.
TEST_F(DirectoryTest, CutShortPruningLeavesTheNewest) {
  for (std::uint64_t dies_at = 0;; ++dies_at) {
    save({1, 2, 3, 4, 5});
    truncate(2);
    // Whatever is asked of the file system from this call on does not happen.
    io::Fault fault;
    fault.at = dies_at;
    fault.forever = true;
    fault.only = {io::Call::kRemove, io::Call::kSyncFolder};
    faults_.set_fault(fault);
    const Result<PruneReport> report = run_.prune(2, {.remove_damaged = true});
    const bool died = faults_.fired();
    faults_.clear();
    EXPECT_EQ(report.ok(), !died);
    const std::vector<std::uint64_t> left = steps();
    // The oldest went first: what is left is an end of what was there.
    const std::vector<std::uint64_t> all = {1, 2, 3, 4, 5};
    ASSERT_GE(left.size(), 2U);
    EXPECT_TRUE(std::ranges::equal(
        left, std::vector<std::uint64_t>(all.end() - static_cast<std::ptrdiff_t>(left.size()),
                                         all.end())));
    EXPECT_EQ(left.size(), std::max<std::uint64_t>(5 - dies_at, 2));

    const std::size_t events = memory_.pending_events().size();
    for (std::uint64_t kept = 0; kept < std::uint64_t{1} << events; ++kept) {
      std::uint64_t event = 0;
      const auto after = memory_.crash([&](const auto&) {
        return (kept >> event++ & 1) != 0 ? io::MemoryFileSystem::Fate::kKept
                                          : io::MemoryFileSystem::Fate::kLost;
      });
      const CheckpointDirectory restarted(kFolder, after.get());
      ASSERT_OK_AND_ASSIGN(const NewestCheckpoint newest, restarted.newest());
      EXPECT_EQ(newest.step, 5U);
      ASSERT_OK_AND_ASSIGN(const PruneReport again, restarted.prune(2, {.remove_damaged = true}));
      EXPECT_THAT(steps_of(again.kept), ElementsAre(4, 5));
    }
    if (!died) break;
  }
}

TEST_F(DirectoryTest, OneThatCannotBeRemovedDoesNotKeepTheOthers) {
  save({1, 2, 3, 4});
  fail(io::Call::kRemove, EACCES, 1);
  EXPECT_THAT(run_.prune(1), StatusIs(Code::kIoError, HasSubstr("step-00000000000002.ingot")));
  EXPECT_THAT(steps(), ElementsAre(2, 4));
  EXPECT_THAT(memory_.pending_events(), IsEmpty());  // synced all the same
}

TEST_F(DirectoryTest, AFolderThatCannotBeSyncedIsAnError) {
  save(1);
  save(2);
  fail(io::Call::kSyncFolder, EIO);
  EXPECT_THAT(run_.prune(1), StatusIs(Code::kIoError));
  EXPECT_THAT(steps(), ElementsAre(2));
}

TEST_F(DirectoryTest, WhatAnotherProcessRemovesIsNoError) {
  save({1, 2, 3, 4});
  // 3 vanishes before it is looked at, 1 before it is removed.
  faults_.set_observer([&](std::uint64_t, io::Call call, const std::string& path) {
    const bool taken = (call == io::Call::kOpen && path == run_.path_for(3)) ||
                       (call == io::Call::kRemove && path == run_.path_for(1));
    if (taken) {
      EXPECT_OK(memory_.remove(path));
    }
  });
  ASSERT_OK_AND_ASSIGN(const PruneReport report, run_.prune(1));
  faults_.set_observer({});
  EXPECT_THAT(steps_of(report.kept), ElementsAre(4));
  EXPECT_THAT(steps_of(report.removed), ElementsAre(2));
  EXPECT_THAT(report.damaged, IsEmpty());
  EXPECT_THAT(steps(), ElementsAre(4));
}

TEST(DirectoryOnDisk, SavesFindsAndPrunes) {
  const Scratch scratch;
  const CheckpointDirectory run(scratch.folder());
  for (const std::uint64_t step : {100U, 200U, 300U}) {
    ASSERT_OK(write_sample(run.path_for(step), mixed_plan()));
  }
  flip_bit(run.path_for(300), 5000);
  std::filesystem::create_directory(run.path_for(400));
  std::filesystem::create_symlink("nowhere", run.path_for(50));
  write_file(scratch.path("notes.txt"), {});
  ASSERT_OK_AND_ASSIGN(const NewestCheckpoint newest, run.newest());
  EXPECT_EQ(newest.step, 200U);
  EXPECT_THAT(steps_of(newest.skipped), ElementsAre(400, 300));
  ASSERT_OK_AND_ASSIGN(const PruneReport report, run.prune(1, {.remove_damaged = true}));
  EXPECT_THAT(steps_of(report.kept), ElementsAre(200));
  EXPECT_THAT(steps_of(report.removed), ElementsAre(100));
  EXPECT_THAT(steps_of(report.damaged), ElementsAre(300, 400));
  EXPECT_FALSE(std::filesystem::exists(run.path_for(100)));
  EXPECT_TRUE(std::filesystem::exists(scratch.path("notes.txt")));
}

TEST(DirectoryOnDisk, AnEmptyPathIsTheWorkingFolder) {
  const Scratch scratch;
  ASSERT_OK(write_sample(CheckpointDirectory(scratch.folder()).path_for(1), mixed_plan()));
  ASSERT_OK(write_sample(CheckpointDirectory(scratch.folder()).path_for(2), mixed_plan()));
  const int exit = io::in_child([&] {
    std::filesystem::current_path(scratch.folder());
    const Result<PruneReport> report = CheckpointDirectory("").prune(1, {.threads = 1});
    return report.ok() && report->removed.size() == 1 ? 0 : 1;
  });
  EXPECT_EQ(exit, 0);
}

TEST(DirectoryOnDisk, EmptyAndMissingFolders) {
  const Scratch scratch;
  const CheckpointDirectory empty(scratch.folder());
  ASSERT_OK_AND_ASSIGN(const auto files, empty.list());
  EXPECT_THAT(files, IsEmpty());
  EXPECT_THAT(empty.newest(), StatusIs(Code::kNotFound));
  ASSERT_OK(empty.prune(1));
  const CheckpointDirectory missing(scratch.path("missing"));
  EXPECT_THAT(missing.list(), StatusIs(Code::kNotFound));
  EXPECT_THAT(missing.newest(), StatusIs(Code::kNotFound));
  EXPECT_THAT(missing.prune(1), StatusIs(Code::kNotFound));
  write_file(scratch.path("file"), {});
  EXPECT_THAT(CheckpointDirectory(scratch.path("file")).newest(), StatusIs(Code::kIoError));
}

}  // namespace
}  // namespace ingot::testing
