#include "io/atomic_file.h"

#include "base/error.h"
#include "io/os_error.h"
#include "io/sibling.h"
#include "tests/io/atomic_testing.h"
#include "tests/writer/forwarding.h"

namespace ingot::io {
namespace {

using ::ingot::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr AtomicFile::Options kKeepExisting{.replace = false, .durable = true};
constexpr AtomicFile::Options kNotDurable{.replace = true, .durable = false};

class AtomicFileTest : public ::testing::TestWithParam<AtomicPlace> {
 protected:
  const std::vector<std::byte> old_ = pattern(5000, 1);
  const std::vector<std::byte> new_ = pattern(9000, 2);
  AtomicWorld world_{GetParam()};
};

TEST_P(AtomicFileTest, AppearsWholeAndNotBefore) {
  ASSERT_OK_AND_ASSIGN(AtomicFile file, world_.create());
  ASSERT_OK(file.reserve(new_.size()));
  ASSERT_OK(write_all(file.file(), 0, new_));
  EXPECT_FALSE(world_.calm_files().exists(world_.path()));
  ASSERT_OK(file.publish());
  EXPECT_EQ(world_.content(), new_);
  EXPECT_THAT(world_.names(), UnorderedElementsAre("model"));
}

TEST_P(AtomicFileTest, ReplacesTheOldFile) {
  world_.put("model", old_);
  ASSERT_OK(world_.publish(new_));
  EXPECT_EQ(world_.content(), new_);
  EXPECT_THAT(world_.names(), UnorderedElementsAre("model"));
}

TEST_P(AtomicFileTest, ReadersKeepTheOldFile) {
  world_.put("model", old_);
  ASSERT_OK_AND_ASSIGN(auto reader, world_.calm_files().open(world_.path(), Access::kRead));
  ASSERT_OK_AND_ASSIGN(auto mapping, reader->map(0, old_.size(), MapMode::kReadOnly));
  ASSERT_OK(world_.publish(new_));
  EXPECT_OK(mapping->populate(0, old_.size()));
  EXPECT_TRUE(std::ranges::equal(mapping->bytes(), old_));
}

TEST_P(AtomicFileTest, TakenNamesAreSeenEarly) {
  world_.put("model", old_);
  EXPECT_THAT(world_.create(kKeepExisting), StatusIs(Code::kAlreadyExists, HasSubstr("model")));
}

TEST_P(AtomicFileTest, TakenNamesAreSeenLate) {
  ASSERT_OK_AND_ASSIGN(AtomicFile file, world_.create(kKeepExisting));
  ASSERT_OK(write_all(file.file(), 0, new_));
  world_.put("model", old_);
  EXPECT_THAT(file.publish(), StatusIs(Code::kAlreadyExists, HasSubstr("model")));
  EXPECT_EQ(world_.content(), old_);
  EXPECT_THAT(world_.names(), UnorderedElementsAre("model"));
}

constexpr NodeKind kSpecial[] = {NodeKind::kFifo, NodeKind::kSymlink, NodeKind::kFolder};

TEST_P(AtomicFileTest, OnlyRegularFilesAreReplaced) {
  for (const NodeKind kind : kSpecial) {
    const std::string name(kind_name(kind));
    world_.put_special(name, kind);
    for (const AtomicFile::Options& options : {kNotDurable, kKeepExisting}) {
      EXPECT_THAT(AtomicFile::create(world_.files(), world_.path(name), options),
                  StatusIs(Code::kAlreadyExists,
                           AllOf(HasSubstr(world_.path(name) + ": "), HasSubstr("found " + name))));
    }
    EXPECT_EQ(world_.stat(name).kind, kind);
  }
}

TEST_P(AtomicFileTest, OnlyRegularFilesAreReplacedWhenTheyComeLate) {
  for (const NodeKind kind : kSpecial) {
    const std::string name(kind_name(kind));
    ASSERT_OK_AND_ASSIGN(AtomicFile file,
                         AtomicFile::create(world_.files(), world_.path(name), kNotDurable));
    world_.put_special(name, kind);
    EXPECT_THAT(file.publish(), StatusIs(Code::kAlreadyExists, HasSubstr("found " + name)));
    EXPECT_EQ(world_.stat(name).kind, kind);
  }
  EXPECT_THAT(world_.names(), ::testing::SizeIs(std::size(kSpecial)));
}

TEST_P(AtomicFileTest, PermissionsStay) {
  for (const std::uint32_t permissions : {0600U, 0640U, 0777U}) {
    world_.put("model" + std::to_string(permissions), old_);
    const std::string path = world_.path("model" + std::to_string(permissions));
    world_.set_permissions(permissions, name_of(path));
    ASSERT_OK_AND_ASSIGN(AtomicFile file, AtomicFile::create(world_.files(), path, kNotDurable));
    EXPECT_EQ(file.file().stat()->permissions, permissions) << "seen before it is written";
    ASSERT_OK(file.publish());
    EXPECT_EQ(world_.stat(name_of(path)).permissions, permissions);
  }
}

TEST_P(AtomicFileTest, PermissionsThatCannotBeKeptAreAnError) {
  world_.put("model", old_);
  world_.set_permissions(0600);
  world_.fail(Call::kSetPermissions, EPERM);
  EXPECT_THAT(world_.create(), StatusIs(Code::kIoError, HasSubstr(world_.path() + ": ")));
  EXPECT_THAT(world_.names(), UnorderedElementsAre("model"));
}

TEST_P(AtomicFileTest, ANameThatCannotBeLookedAtIsAnError) {
  world_.fail(Call::kStatName, EACCES);
  EXPECT_THAT(world_.create(), StatusIs(Code::kIoError, HasSubstr(world_.path() + ": ")));
}

TEST_P(AtomicFileTest, ErrorsNameTheFinalPath) {
  const std::string begin = world_.path() + ": ";
  for (const Call call : {Call::kWrite, Call::kSync, Call::kResize, Call::kAllocate, Call::kLock,
                          Call::kLink, Call::kRename}) {
    world_.put("model", old_);
    world_.fail(call);
    const Status status = [&]() -> Status {
      INGOT_ASSIGN_OR_RETURN(AtomicFile file, world_.create());
      INGOT_RETURN_IF_ERROR(file.reserve(new_.size()));
      INGOT_RETURN_IF_ERROR(file.file().resize(new_.size()));
      INGOT_RETURN_IF_ERROR(write_all(file.file(), 0, new_));
      return file.publish();
    }();
    if (world_.files().fired()) {
      EXPECT_THAT(status, StatusIs(Code::kIoError, ::testing::StartsWith(begin)));
    }
    ASSERT_OK(world_.calm_files().remove(world_.path()));
  }
  const std::string missing = world_.path("missing/model");
  world_.fail(Call::kCreateExclusive, ENOENT);
  world_.memory().set_features({.unnamed_files = false});
  EXPECT_THAT(AtomicFile::create(world_.files(), missing, {}),
              StatusIs(Code::kNotFound, missing + ": cannot create: No such file or directory"));
}

TEST_P(AtomicFileTest, AFileThatIsTooLargeIsNoFullDisk) {
  world_.fail(Call::kAllocate, EFBIG);
  const Status status = world_.publish(new_);
  EXPECT_THAT(status, StatusIs(Code::kResourceExhausted,
                               AllOf(HasSubstr("more than a file may have here"),
                                     HasSubstr("ulimit -f"), Not(HasSubstr("free in")))));
  EXPECT_EQ(status.os_error(), EFBIG);
  world_.fail(Call::kAllocate, EDQUOT);
  EXPECT_THAT(world_.publish(new_), StatusIs(Code::kResourceExhausted, Not(HasSubstr("free in"))));
}

TEST_P(AtomicFileTest, FreeNamesAreTakenWithoutReplacing) {
  ASSERT_OK(world_.publish(new_, kKeepExisting));
  EXPECT_EQ(world_.content(), new_);
  EXPECT_THAT(world_.names(), UnorderedElementsAre("model"));
}

TEST_P(AtomicFileTest, DroppedFilesLeaveNothing) {
  {
    ASSERT_OK_AND_ASSIGN(AtomicFile file, world_.create());
    ASSERT_OK(write_all(file.file(), 0, new_));
  }
  EXPECT_THAT(world_.names(), IsEmpty());
}

TEST_P(AtomicFileTest, MovedFilesGoOn) {
  ASSERT_OK_AND_ASSIGN(AtomicFile first, world_.create());
  ASSERT_OK(write_all(first.file(), 0, new_));
  AtomicFile second = std::move(first);
  ASSERT_OK_AND_ASSIGN(AtomicFile third, world_.create());
  third = std::move(second);
  ASSERT_OK(third.publish());
  EXPECT_EQ(world_.content(), new_);
  EXPECT_THAT(world_.names(), UnorderedElementsAre("model"));
}

TEST_P(AtomicFileTest, PublishesOnce) {
  ASSERT_OK_AND_ASSIGN(AtomicFile file, world_.create());
  ASSERT_OK(file.publish());
  EXPECT_THAT(file.publish(), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(file.reserve(1), StatusIs(Code::kInvalidArgument));
}

TEST_P(AtomicFileTest, NeedsAName) {
  EXPECT_THAT(AtomicFile::create(world_.files(), world_.path() + "/", {}),
              StatusIs(Code::kInvalidArgument));
}

TEST_P(AtomicFileTest, AFailedSyncIsFinal) {
  world_.put("model", old_);
  ASSERT_OK_AND_ASSIGN(AtomicFile file, world_.create());
  ASSERT_OK(write_all(file.file(), 0, new_));
  world_.fail(Call::kSync);
  EXPECT_THAT(file.publish(), StatusIs(Code::kIoError));
  EXPECT_THAT(file.publish(), StatusIs(Code::kInvalidArgument));
  EXPECT_EQ(world_.files().calls(), 1U) << "retried";
  EXPECT_EQ(world_.content(), old_);
  EXPECT_THAT(world_.names(), UnorderedElementsAre("model"));
}

TEST_P(AtomicFileTest, AFailedSyncOfTheFolderIsUncertain) {
  world_.put("model", old_);
  world_.fail(Call::kSyncFolder);
  const Status status = world_.publish(new_);
  EXPECT_THAT(status, StatusIs(Code::kCommitUncertain, HasSubstr("model")));
  EXPECT_EQ(status.os_error(), EIO);
  EXPECT_EQ(world_.content(), new_);
}

TEST_P(AtomicFileTest, AFailedCloseIsUncertain) {
  world_.fail(Call::kClose);
  EXPECT_THAT(world_.publish(new_), StatusIs(Code::kCommitUncertain));
  EXPECT_EQ(world_.content(), new_);
}

TEST_P(AtomicFileTest, DurabilityIsWhatWasAskedFor) {
  Fault count_syncs;
  count_syncs.only = {Call::kSync, Call::kSyncFolder};
  count_syncs.at = 1000;
  world_.files().set_fault(count_syncs);
  ASSERT_OK(world_.publish(new_, kNotDurable));
  EXPECT_EQ(world_.files().calls(), 0U);
  ASSERT_OK(world_.publish(old_));
  EXPECT_EQ(world_.files().calls(), 2U);
}

TEST_P(AtomicFileTest, FileSystemsWithoutLocksServe) {
  for (const int error : {ENOSYS, EOPNOTSUPP, ENOLCK}) {
    world_.fail(Call::kLock, error, 0, true);
    ASSERT_OK(world_.publish(new_));
    EXPECT_EQ(world_.content(), new_);
  }
}

TEST_P(AtomicFileTest, FileSystemsWithoutAllocateServe) {
  world_.fail(Call::kAllocate, EOPNOTSUPP);
  ASSERT_OK_AND_ASSIGN(AtomicFile file, world_.create());
  ASSERT_OK(file.reserve(12'345));
  EXPECT_EQ(file.file().stat()->bytes, 12'345U);
}

TEST_P(AtomicFileTest, UnknownFreeSpaceIsNoReasonToFail) {
  world_.fail(Call::kFreeBytes);
  EXPECT_OK(world_.publish(new_));
}

TEST_P(AtomicFileTest, SpaceThatIsGoneWhenReserved) {
  world_.fail(Call::kAllocate, ENOSPC);
  const Status status = world_.publish(new_);
  EXPECT_THAT(status, StatusIs(Code::kResourceExhausted, HasSubstr("need 8.8 KiB (9000 bytes)")));
  EXPECT_EQ(status.os_error(), ENOSPC);
  EXPECT_THAT(world_.names(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Places, AtomicFileTest,
                         ::testing::Values(AtomicPlace::kMemoryUnnamed, AtomicPlace::kMemorySibling,
                                           AtomicPlace::kDiskUnnamed, AtomicPlace::kDiskSibling),
                         [](const auto& tested) { return atomic_place_name(tested.param); });

TEST(AtomicFileSpaceTest, SaysWhatItNeedsAndWhatThereIs) {
  MemoryFileSystem memory;
  memory.set_capacity(std::uint64_t{4} << 30);
  ASSERT_OK_AND_ASSIGN(AtomicFile file, AtomicFile::create(memory, "runs/model", {}));
  EXPECT_THAT(file.reserve(std::uint64_t{13'207'024'435}),
              StatusIs(Code::kResourceExhausted,
                       HasSubstr("need 12.3 GiB (13207024435 bytes), have 4.0 GiB (4294967296 "
                                 "bytes) free in runs")));
  EXPECT_OK(file.reserve(std::uint64_t{4} << 30));
}

// Where nothing can be reserved, the free space is all there is to go by.
TEST(AtomicFileSpaceTest, LooksBeforeItWrites) {
  MemoryFileSystem memory;
  memory.set_features({.allocate = false});
  memory.set_capacity(8192);
  ASSERT_OK_AND_ASSIGN(AtomicFile file, AtomicFile::create(memory, "runs/model", {}));
  EXPECT_THAT(file.reserve(8193), StatusIs(Code::kResourceExhausted));
  EXPECT_OK(file.reserve(8192));
}

TEST(AtomicFileNameTest, BareNamesAreInTheCurrentFolder) {
  MemoryFileSystem memory;
  memory.set_features({.unnamed_files = false});
  memory.put("model", pattern(10));
  ASSERT_OK_AND_ASSIGN(AtomicFile file, AtomicFile::create(memory, "model", {}));
  ASSERT_OK(file.publish());
  EXPECT_THAT(memory.names(), UnorderedElementsAre("model"));
}

// Names that another writer takes first are tried again.
TEST(AtomicFileNameTest, TakenSiblingNames) {
  AtomicWorld sibling(AtomicPlace::kMemorySibling);
  sibling.fail(Call::kCreateExclusive, EEXIST);
  EXPECT_OK(sibling.publish(pattern(10)));
  EXPECT_TRUE(sibling.files().fired());

  AtomicWorld unnamed(AtomicPlace::kMemoryUnnamed);
  unnamed.put("model", pattern(10));
  unnamed.fail(Call::kLink, EEXIST, 1);  // 0 is the attempt to take the final name
  EXPECT_OK(unnamed.publish(pattern(20)));
  EXPECT_TRUE(unnamed.files().fired());
  EXPECT_EQ(unnamed.content(), pattern(20));
  EXPECT_THAT(unnamed.names(), UnorderedElementsAre("model"));
}

// NFS: an exclusive lock needs a descriptor that may write (flock(2)).
class LocksForWriters final : public ::ingot::testing::ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  void refuse_writing() { refuses_writing_ = true; }

  Result<std::unique_ptr<File>> open(std::string_view path, Access access) override {
    if (access == Access::kReadWrite) {
      if (refuses_writing_) return os_failure(path, "cannot open", EACCES);
      return ForwardingFileSystem::open(path, access);
    }
    INGOT_ASSIGN_OR_RETURN(auto file, base().open(path, access));
    return {std::make_unique<Reader>(std::move(file))};
  }

 private:
  class Reader final : public ::ingot::testing::ForwardingFile {
   public:
    using ForwardingFile::ForwardingFile;
    Status try_lock() override { return os_failure(path(), "cannot lock", EBADF); }
  };
  bool refuses_writing_ = false;
};

TEST(AtomicFileReclaimTest, LeftoversGoWhereOnlyWritersMayLock) {
  MemoryFileSystem memory;
  LocksForWriters files(memory);
  const std::string leftover = random_sibling("model");
  memory.put(leftover, pattern(10));
  EXPECT_OK(AtomicFile::create(files, "model", {}));
  EXPECT_THAT(memory.names(), IsEmpty());

  memory.put(leftover, pattern(10));
  files.refuse_writing();
  EXPECT_OK(AtomicFile::create(files, "model", {}));
  EXPECT_THAT(memory.names(), UnorderedElementsAre(leftover));
}

TEST(AtomicFileNameTest, MissingFoldersAreNotFound) {
  for (const AtomicPlace place : {AtomicPlace::kDiskUnnamed, AtomicPlace::kDiskSibling}) {
    AtomicWorld world(place);
    EXPECT_THAT(AtomicFile::create(world.files(), world.path("missing/model"), {}),
                StatusIs(Code::kNotFound));
  }
}

TEST(AtomicFileNameTest, OldKernelsSayThatTheFolderIsMissing) {
  AtomicWorld world(AtomicPlace::kDiskUnnamed);
  world.fail(Call::kCreateUnnamed, ENOENT);
  EXPECT_OK(world.publish(pattern(10)));
  EXPECT_TRUE(world.files().fired());
}

}  // namespace
}  // namespace ingot::io
