// Power cuts before every call of a publish: every subset of what was not yet on stable storage is
// lost, and each page is torn. What comes back is the old file or the new one; the new one once
// publish() returned OK. Broken protocols must be caught by the same check.
#include <functional>

#include "io/sibling.h"
#include "tests/io/atomic_testing.h"

namespace ingot::io {
namespace {

using Event = MemoryFileSystem::CrashEvent;
using Fate = MemoryFileSystem::Fate;

const std::string kPath = "runs/model";

// Counts crash states and those among them that break the promise.
class CrashChecker {
 public:
  explicit CrashChecker(bool old_file) {
    if (old_file) memory_.put(kPath, old_);
    before_ = memory_.content(kPath);
    existed_ = old_file;
  }

  MemoryFileSystem& memory() { return memory_; }
  Bytes new_content() const { return new_; }

  // Runs a protocol that publishes new_content(), with a power cut before each call and at the end.
  void run(const std::function<Status(FileSystem&)>& protocol) {
    FaultFileSystem observed(memory_);
    observed.set_observer([this](std::uint64_t, Call, const std::string&) { cut(); });
    const Status status = protocol(observed);
    EXPECT_OK(status);
    published_ = true;
    cut();
  }

  std::uint64_t states() const { return states_; }
  std::uint64_t violations() const { return violations_; }

 private:
  void cut() {
    const std::size_t events = memory_.pending_events().size();
    ASSERT_LT(events, 16U);
    for (std::uint64_t kept = 0; kept < std::uint64_t{1} << events; ++kept) {
      check_state([&](std::size_t i) { return (kept >> i & 1) != 0 ? Fate::kKept : Fate::kLost; });
    }
    for (std::size_t torn = 0; torn < events; ++torn) {
      for (const Fate fate : {Fate::kTornHead, Fate::kTornTail}) {
        check_state([&](std::size_t i) { return i == torn ? fate : Fate::kKept; });
        check_state([&](std::size_t i) { return i == torn ? fate : Fate::kLost; });
      }
    }
  }

  void check_state(const std::function<Fate(std::size_t)>& fate) {
    std::size_t i = 0;
    const auto after = memory_.crash([&](const Event&) { return fate(i++); });
    ++states_;
    const bool exists = after->exists(kPath);
    const auto content = after->content(kPath);
    const bool is_old = exists == existed_ && content == before_;
    const bool is_new = exists && content == new_;
    if (!is_new && (published_ || !is_old)) ++violations_;
  }

  const std::vector<std::byte> old_ = pattern(2 * 4096 + 500, 1);
  const std::vector<std::byte> new_ = pattern(3 * 4096 + 700, 2);
  std::vector<std::byte> before_;
  bool existed_ = false;
  bool published_ = false;
  std::uint64_t states_ = 0;
  std::uint64_t violations_ = 0;
  MemoryFileSystem memory_;
};

Status publish(FileSystem& files, Bytes content, const AtomicFile::Options& options) {
  INGOT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(files, kPath, options));
  INGOT_RETURN_IF_ERROR(file.reserve(content.size()));
  for (std::size_t begin = 0; begin < content.size(); begin += 4096) {
    const std::size_t part = std::min<std::size_t>(4096, content.size() - begin);
    INGOT_RETURN_IF_ERROR(write_all(file.file(), begin, content.subspan(begin, part)));
  }
  return file.publish();
}

struct Tested {
  bool unnamed;
  bool old_file;
  bool replace;
};

class AtomicFileCrash : public ::testing::TestWithParam<Tested> {};

TEST_P(AtomicFileCrash, ComesBackOldOrNew) {
  CrashChecker checker(GetParam().old_file);
  checker.memory().set_features({.unnamed_files = GetParam().unnamed});
  checker.run([&](FileSystem& files) {
    return publish(files, checker.new_content(), {.replace = GetParam().replace, .durable = true});
  });
  EXPECT_EQ(checker.violations(), 0U) << "of " << checker.states();
  RecordProperty("states", std::to_string(checker.states()));
  EXPECT_GT(checker.states(), GetParam().unnamed ? 10U : 100U);
}

// The check sees a missing fsync: without it the model would be too weak to prove anything.
TEST_P(AtomicFileCrash, WithoutSyncsBytesAreLost) {
  CrashChecker checker(GetParam().old_file);
  checker.memory().set_features({.unnamed_files = GetParam().unnamed});
  checker.run([&](FileSystem& files) {
    return publish(files, checker.new_content(), {.replace = GetParam().replace, .durable = false});
  });
  EXPECT_GT(checker.violations(), 0U) << "of " << checker.states();
}

INSTANTIATE_TEST_SUITE_P(Kinds, AtomicFileCrash,
                         ::testing::Values(Tested{true, true, true}, Tested{true, false, true},
                                           Tested{true, false, false}, Tested{false, true, true},
                                           Tested{false, false, true}, Tested{false, false, false}),
                         [](const auto& tested) {
                           return std::string(tested.param.unnamed ? "Unnamed" : "Sibling") +
                                  (tested.param.old_file ? "Old" : "Fresh") +
                                  (tested.param.replace ? "Replace" : "Keep");
                         });

// Protocols that are in use elsewhere, and wrong. The check must catch each of them.
struct Steps {
  FileSystem& files;
  std::string temporary = random_sibling(kPath);
  std::unique_ptr<File> file = nullptr;

  Status write(Bytes content) {
    INGOT_ASSIGN_OR_RETURN(file, files.create_exclusive(temporary));
    return write_all(*file, 0, content);
  }
};

std::uint64_t violations_of(const std::function<Status(Steps&, Bytes)>& protocol) {
  CrashChecker checker(true);
  checker.run([&](FileSystem& files) {
    Steps steps{files};
    return protocol(steps, checker.new_content());
  });
  return checker.violations();
}

TEST(CrashMutants, TheWholeProtocolIsRight) {
  EXPECT_EQ(violations_of([](Steps& steps, Bytes content) -> Status {
              INGOT_RETURN_IF_ERROR(steps.write(content));
              INGOT_RETURN_IF_ERROR(steps.file->sync());
              INGOT_RETURN_IF_ERROR(steps.files.rename(steps.temporary, kPath));
              return steps.files.sync_folder("runs");
            }),
            0U);
}

TEST(CrashMutants, NoSyncOfTheFile) {
  EXPECT_GT(violations_of([](Steps& steps, Bytes content) -> Status {
              INGOT_RETURN_IF_ERROR(steps.write(content));
              INGOT_RETURN_IF_ERROR(steps.files.rename(steps.temporary, kPath));
              return steps.files.sync_folder("runs");
            }),
            0U);
}

TEST(CrashMutants, NoSyncOfTheFolder) {
  EXPECT_GT(violations_of([](Steps& steps, Bytes content) -> Status {
              INGOT_RETURN_IF_ERROR(steps.write(content));
              INGOT_RETURN_IF_ERROR(steps.file->sync());
              return steps.files.rename(steps.temporary, kPath);
            }),
            0U);
}

TEST(CrashMutants, SyncAfterTheRename) {
  EXPECT_GT(violations_of([](Steps& steps, Bytes content) -> Status {
              INGOT_RETURN_IF_ERROR(steps.write(content));
              INGOT_RETURN_IF_ERROR(steps.files.rename(steps.temporary, kPath));
              INGOT_RETURN_IF_ERROR(steps.file->sync());
              return steps.files.sync_folder("runs");
            }),
            0U);
}

TEST(CrashMutants, RemoveThenRename) {
  EXPECT_GT(violations_of([](Steps& steps, Bytes content) -> Status {
              INGOT_RETURN_IF_ERROR(steps.write(content));
              INGOT_RETURN_IF_ERROR(steps.file->sync());
              INGOT_RETURN_IF_ERROR(steps.files.remove(kPath));
              INGOT_RETURN_IF_ERROR(steps.files.rename(steps.temporary, kPath));
              return steps.files.sync_folder("runs");
            }),
            0U);
}

TEST(CrashMutants, OverwriteInPlace) {
  EXPECT_GT(violations_of([](Steps& steps, Bytes content) -> Status {
              INGOT_ASSIGN_OR_RETURN(steps.file, steps.files.open(kPath, Access::kReadWrite));
              INGOT_RETURN_IF_ERROR(write_all(*steps.file, 0, content));
              INGOT_RETURN_IF_ERROR(steps.file->sync());
              return steps.files.sync_folder("runs");
            }),
            0U);
}

// Linux marks the pages of a failed fsync clean: a second one succeeds over lost data.
TEST(CrashMutants, RetryOfAFailedSync) {
  CrashChecker checker(true);
  FaultFileSystem failing(checker.memory());
  Fault fault;
  fault.only = {Call::kSync};
  failing.set_fault(fault);
  Steps steps{failing};
  ASSERT_OK(steps.write(checker.new_content()));
  EXPECT_FALSE(steps.file->sync().ok());
  ASSERT_OK(steps.file->sync());
  ASSERT_OK(failing.rename(steps.temporary, kPath));
  ASSERT_OK(failing.sync_folder("runs"));
  checker.run([](FileSystem&) { return Status(); });
  EXPECT_GT(checker.violations(), 0U);
}

}  // namespace
}  // namespace ingot::io
