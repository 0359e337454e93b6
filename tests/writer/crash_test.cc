// After a power cut at any point of a save, the name holds exactly the old file or exactly the new
// one; after commit() returned OK, the new one.
//
// INGOT_EXHAUSTIVE=1 looks at every tear of every page, some millions of states.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "../support/status_matchers.h"
#include "crash_explorer.h"
#include "forwarding.h"

namespace ingot::testing {
namespace {

Depth depth() {
  const char* value = std::getenv("INGOT_EXHAUSTIVE");
  return value != nullptr && std::string_view(value) == "1" ? Depth::kExhaustive : Depth::kSampled;
}

TEST(Crash, OldOrNewAtEveryCut) {
  const ReplaceCase replace_case;
  ASSERT_EQ(replace_case.new_file().size(), 12u * 4096);
  std::uint64_t states = 0;
  for (const Way& way : ways()) {
    const Survey survey = CrashExplorer(replace_case, way, depth()).run();
    EXPECT_OK(survey.saved);
    EXPECT_EQ(survey.violations, 0u) << survey.first;
    states += survey.states;
  }
  std::printf("%llu states\n", static_cast<unsigned long long>(states));
  EXPECT_GE(states, depth() == Depth::kExhaustive ? 2'088'705u : 200'000u);
}

// A disk that fails during the save changes nothing about it.
TEST(Crash, OldOrNewWhileCallsFail) {
  const ReplaceCase replace_case;
  std::uint64_t states = 0;
  for (const io::Call call : {io::Call::kWrite, io::Call::kSync, io::Call::kLink, io::Call::kRename,
                              io::Call::kSyncFolder, io::Call::kClose, io::Call::kRemove}) {
    for (const Way& way : {ways()[0], ways()[3]}) {
      const io::Fault fault{.os_error = 5, .only = {call}};
      const Survey survey = CrashExplorer(replace_case, way, Depth::kSampled).run_with(fault, {});
      EXPECT_EQ(survey.violations, 0u) << survey.first;
      states += survey.states;
    }
  }
  EXPECT_GT(states, 50u);
}

// The mutants: a step of the commit is left out or moved. Each must be caught, or the model of the
// disk is too weak to prove anything.
class NoSyncFile : public ForwardingFile {
 public:
  using ForwardingFile::ForwardingFile;
  Status sync() override { return {}; }
};

class NoSync : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;

 protected:
  std::unique_ptr<ForwardingFile> wrap(std::unique_ptr<io::File> file) override {
    return std::make_unique<NoSyncFile>(std::move(file));
  }
};

class NoFolderSync : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  Status sync_folder(std::string_view) override { return {}; }
};

// Safetensors: neither.
class NoSyncAtAll : public NoSync {
 public:
  using NoSync::NoSync;
  Status sync_folder(std::string_view) override { return {}; }
};

// The name first, the data's sync after it.
class NameBeforeSync : public NoSync {
 public:
  using NoSync::NoSync;
  Status link(io::File& file, std::string_view path) override {
    INGOT_RETURN_IF_ERROR(NoSync::link(file, path));
    return static_cast<ForwardingFile&>(file).base().sync();
  }
  Status rename(std::string_view from, std::string_view to) override {
    INGOT_RETURN_IF_ERROR(NoSync::rename(from, to));
    INGOT_ASSIGN_OR_RETURN(auto file, base().open(to, io::Access::kReadWrite));
    return file->sync();
  }
};

// torch.distributed.checkpoint: the old file goes before the new one comes.
class RemoveThenRename : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  Status rename(std::string_view from, std::string_view to) override {
    INGOT_RETURN_IF_ERROR(base().remove(to));
    return base().rename(from, to);
  }
};

// torch.save: writes into the old file.
class InPlace : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  Result<std::unique_ptr<io::File>> create_unnamed(std::string_view) override {
    return open(kName, io::Access::kReadWrite);
  }
  Status link(io::File&, std::string_view) override { return {}; }
};

// The sync comes too early: before the header.
class SyncBeforeHeaderFile : public NoSyncFile {
 public:
  using NoSyncFile::NoSyncFile;
  Result<std::size_t> write_some(std::uint64_t offset, Bytes source) override {
    if (offset == 0) INGOT_RETURN_IF_ERROR(base().sync());
    return NoSyncFile::write_some(offset, source);
  }
};

class SyncBeforeHeader : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;

 protected:
  std::unique_ptr<ForwardingFile> wrap(std::unique_ptr<io::File> file) override {
    return std::make_unique<SyncBeforeHeaderFile>(std::move(file));
  }
};

// A failed fsync tried again: the second one succeeds over lost data.
class RetryingFile : public ForwardingFile {
 public:
  using ForwardingFile::ForwardingFile;
  Status sync() override {
    const Status first = ForwardingFile::sync();
    return first.ok() ? first : ForwardingFile::sync();
  }
};

class RetryingSync : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;

 protected:
  std::unique_ptr<ForwardingFile> wrap(std::unique_ptr<io::File> file) override {
    return std::make_unique<RetryingFile>(std::move(file));
  }
};

template <typename Mutant>
void expect_caught(const Way& way) {
  const ReplaceCase replace_case;
  const Wrap wrap = [](io::FileSystem& base) { return std::make_unique<Mutant>(base); };
  const Survey survey = CrashExplorer(replace_case, way, Depth::kCoarse).run(wrap, true);
  EXPECT_OK(survey.saved);
  EXPECT_GT(survey.violations, 0u) << way.name;
}

template <typename Mutant>
void expect_caught() {
  expect_caught<Mutant>(ways()[0]);
  expect_caught<Mutant>(ways()[1]);
  expect_caught<Mutant>(ways()[3]);
}

TEST(CrashMutants, NoSync) { expect_caught<NoSync>(); }
TEST(CrashMutants, NoFolderSync) { expect_caught<NoFolderSync>(); }
TEST(CrashMutants, NoSyncAtAll) { expect_caught<NoSyncAtAll>(); }
// Where an unnamed file replaces another, its data is synced before the rename all the same.
TEST(CrashMutants, NameBeforeSync) {
  expect_caught<NameBeforeSync>(ways()[1]);
  expect_caught<NameBeforeSync>(ways()[3]);
}
TEST(CrashMutants, RemoveThenRename) { expect_caught<RemoveThenRename>(ways()[1]); }
TEST(CrashMutants, InPlace) { expect_caught<InPlace>(ways()[0]); }
TEST(CrashMutants, SyncBeforeHeader) { expect_caught<SyncBeforeHeader>(); }

TEST(CrashMutants, RetryOfAFailedSync) {
  const ReplaceCase replace_case;
  const Wrap wrap = [](io::FileSystem& base) { return std::make_unique<RetryingSync>(base); };
  const io::Fault fault{.os_error = 5, .only = {io::Call::kSync}};
  const Survey survey =
      CrashExplorer(replace_case, ways()[0], Depth::kSampled).run_with(fault, wrap);
  EXPECT_OK(survey.saved);
  EXPECT_GT(survey.violations, 0u);
}

}  // namespace
}  // namespace ingot::testing
