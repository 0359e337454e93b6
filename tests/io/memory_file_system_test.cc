// What the contract does not say: stable storage, power cuts, missing features, full disks.
#include "io/memory_file_system.h"

#include <cerrno>

#include "io/aligned_buffer.h"
#include "tests/io/io_testing.h"

namespace ingot::io {
namespace {

using ::ingot::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Event = MemoryFileSystem::CrashEvent;
using Fate = MemoryFileSystem::Fate;
using Kind = MemoryFileSystem::CrashEvent::Kind;

class MemoryTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> create(std::string_view path, Bytes content = {}) {
    return create_file(memory_, path, content);
  }
  std::unique_ptr<MemoryFileSystem> crash(Fate fate) const {
    return memory_.crash([&](const Event&) { return fate; });
  }
  // Events of `kind` have `fate`, all others are kept.
  std::unique_ptr<MemoryFileSystem> crash(Kind kind, Fate fate) const {
    return memory_.crash(
        [&](const Event& event) { return event.kind == kind ? fate : Fate::kKept; });
  }
  std::vector<std::string> events() const {
    std::vector<std::string> result;
    for (const Event& event : memory_.pending_events()) {
      const char* kind = event.kind == Kind::kPage     ? "page "
                         : event.kind == Kind::kLength ? "length "
                                                       : "name ";
      result.push_back(kind + event.name +
                       (event.kind == Kind::kPage ? " " + std::to_string(event.page) : ""));
    }
    return result;
  }

  MemoryFileSystem memory_;
};

TEST_F(MemoryTest, SyncedFilesAndFoldersSurvive) {
  auto file = create("a", pattern(5000));
  ASSERT_OK(file->sync());
  ASSERT_OK(memory_.sync_folder("."));
  EXPECT_THAT(events(), IsEmpty());
  EXPECT_EQ(crash(Fate::kLost)->content("a"), pattern(5000));
}

TEST_F(MemoryTest, PutIsDurableAtOnce) {
  memory_.put("a", pattern(5000));
  EXPECT_THAT(events(), IsEmpty());
  EXPECT_EQ(crash(Fate::kLost)->content("a"), pattern(5000));
}

TEST_F(MemoryTest, EventsAreWhatIsNotDurable) {
  auto file = create("a", pattern(2 * 4096 + 1));
  EXPECT_THAT(events(), ElementsAre("page a 0", "page a 1", "page a 2", "length a", "name a"));
  ASSERT_OK(file->sync());
  EXPECT_THAT(events(), ElementsAre("name a"));
  ASSERT_OK(memory_.sync_folder("."));
  ASSERT_OK(write_all(*file, 4096, pattern(1, 2)));
  EXPECT_THAT(events(), ElementsAre("page a 1"));
}

TEST_F(MemoryTest, LostPagesHaveTheirDurableContent) {
  memory_.put("a", pattern(8192, 1));
  ASSERT_OK_AND_ASSIGN(auto file, memory_.open("a", Access::kReadWrite));
  ASSERT_OK(write_all(*file, 0, pattern(8192, 2)));
  const auto after =
      memory_.crash([](const Event& event) { return event.page == 1 ? Fate::kKept : Fate::kLost; });
  auto expected = pattern(8192, 1);
  const auto written = pattern(8192, 2);
  std::copy(written.begin() + 4096, written.end(), expected.begin() + 4096);
  EXPECT_EQ(after->content("a"), expected);
  EXPECT_EQ(memory_.content("a"), written) << "the file system itself goes on";
}

TEST_F(MemoryTest, LostPagesOfANewFileAreZeros) {
  auto file = create("a", pattern(8192));
  EXPECT_EQ(crash(Kind::kPage, Fate::kLost)->content("a"), std::vector<std::byte>(8192));
}

TEST_F(MemoryTest, LostLengthsCut) {
  auto file = create("a", pattern(8192));
  EXPECT_THAT(crash(Kind::kLength, Fate::kLost)->content("a"), IsEmpty());
  EXPECT_TRUE(crash(Kind::kLength, Fate::kLost)->exists("a"));
  EXPECT_EQ(crash(Kind::kLength, Fate::kTornHead)->content("a").size(), 4096U);
  EXPECT_EQ(crash(Kind::kLength, Fate::kTornTail)->content("a").size(), 8192U - 512);
}

TEST_F(MemoryTest, BytesBehindALostLengthDoNotComeBack) {
  memory_.put("a", pattern(100));
  ASSERT_OK_AND_ASSIGN(auto file, memory_.open("a", Access::kReadWrite));
  ASSERT_OK(write_all(*file, 0, pattern(200)));
  const auto after = crash(Kind::kLength, Fate::kLost);
  ASSERT_OK_AND_ASSIGN(auto again, after->open("a", Access::kReadWrite));
  ASSERT_OK(again->resize(200));
  EXPECT_EQ(first_nonzero(Bytes(after->content("a")).subspan(100)), 100U);
}

TEST_F(MemoryTest, TornPagesChangeOverAtASector) {
  memory_.put("a", pattern(4096, 1));
  ASSERT_OK_AND_ASSIGN(auto file, memory_.open("a", Access::kReadWrite));
  ASSERT_OK(write_all(*file, 0, pattern(4096, 2)));
  for (std::uint64_t sector = 1; sector <= 7; ++sector) {
    memory_.set_tear(sector);
    auto head_new = pattern(4096, 1);
    auto tail_new = pattern(4096, 2);
    std::copy_n(pattern(4096, 2).begin(), sector * 512, head_new.begin());
    std::copy_n(pattern(4096, 1).begin(), sector * 512, tail_new.begin());
    EXPECT_EQ(crash(Fate::kTornHead)->content("a"), head_new);
    EXPECT_EQ(crash(Fate::kTornTail)->content("a"), tail_new);
  }
}

TEST_F(MemoryTest, NamesAreLostOrKeptOneByOne) {
  create("a");
  create("b");
  EXPECT_THAT(crash(Fate::kLost)->names(), IsEmpty());
  const auto after = memory_.crash(
      [](const Event& event) { return event.name == "b" ? Fate::kKept : Fate::kLost; });
  EXPECT_THAT(after->names(), ElementsAre("b"));
}

TEST_F(MemoryTest, RenamesAreAtomic) {
  memory_.put("old", pattern(10, 1));
  memory_.put("new", pattern(10, 2));
  ASSERT_OK(memory_.rename("new", "old"));
  EXPECT_THAT(events(), ElementsAre("name old"));
  const auto lost = crash(Fate::kLost);
  EXPECT_THAT(lost->names(), ElementsAre("new", "old"));
  EXPECT_EQ(lost->content("old"), pattern(10, 1));
  const auto kept = crash(Fate::kKept);
  EXPECT_THAT(kept->names(), ElementsAre("old"));
  EXPECT_EQ(kept->content("old"), pattern(10, 2));
}

TEST_F(MemoryTest, RemovedFilesMayComeBack) {
  memory_.put("a", pattern(10));
  ASSERT_OK(memory_.remove("a"));
  EXPECT_EQ(crash(Fate::kLost)->content("a"), pattern(10));
  EXPECT_THAT(crash(Fate::kKept)->names(), IsEmpty());
  ASSERT_OK(memory_.sync_folder("."));
  EXPECT_THAT(crash(Fate::kLost)->names(), IsEmpty());
}

TEST_F(MemoryTest, FoldersAreSyncedOneByOne) {
  create("x/a");
  create("y/b");
  ASSERT_OK(memory_.sync_folder("x"));
  EXPECT_THAT(crash(Fate::kLost)->names(), ElementsAre("x/a"));
}

TEST_F(MemoryTest, SyncOfAFileDoesNotMakeItsNameDurable) {
  auto file = create("a", pattern(10));
  ASSERT_OK(file->sync());
  EXPECT_THAT(crash(Fate::kLost)->names(), IsEmpty());
}

TEST_F(MemoryTest, UnnamedFilesVanishUnlessLinked) {
  ASSERT_OK_AND_ASSIGN(auto file, memory_.create_unnamed("x"));
  ASSERT_OK(write_all(*file, 0, pattern(10)));
  EXPECT_THAT(events(), IsEmpty()) << "nothing of it can come back";
  ASSERT_OK(file->sync());
  ASSERT_OK(memory_.link(*file, "x/a"));
  EXPECT_THAT(crash(Fate::kLost)->names(), IsEmpty());
  EXPECT_EQ(crash(Fate::kKept)->content("x/a"), pattern(10));
}

TEST_F(MemoryTest, ACrashedFileSystemIsDurableAndIndependent) {
  create("a", pattern(10));
  auto after = crash(Fate::kKept);
  EXPECT_THAT(after->pending_events(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(auto file, after->open("a", Access::kReadWrite));
  ASSERT_OK(write_all(*file, 0, pattern(10, 2)));
  EXPECT_EQ(memory_.content("a"), pattern(10, 1));
  EXPECT_EQ(after->content("a"), pattern(10, 2));
  EXPECT_OK(file->try_lock());
}

TEST_F(MemoryTest, LocksEndWithTheCrash) {
  auto file = create("a");
  ASSERT_OK(file->try_lock());
  const auto after = crash(Fate::kKept);
  ASSERT_OK_AND_ASSIGN(auto again, after->open("a", Access::kRead));
  EXPECT_OK(again->try_lock());
}

TEST_F(MemoryTest, DroppedPagesCountAsClean) {
  memory_.put("a", pattern(8192, 1));
  ASSERT_OK_AND_ASSIGN(auto file, memory_.open("a", Access::kReadWrite));
  ASSERT_OK(write_all(*file, 4096, pattern(4096, 2)));
  memory_.drop_dirty_pages("a");
  EXPECT_EQ(memory_.content("a"), pattern(8192, 1));
  EXPECT_THAT(events(), IsEmpty());
  EXPECT_OK(file->sync());
}

TEST_F(MemoryTest, FullDisksTakeAPartAndThenNothing) {
  memory_.set_capacity(3 * 4096);
  auto file = create("a");
  EXPECT_EQ(*file->write_some(0, pattern(5 * 4096)), 3 * 4096U);
  const auto full = file->write_some(3 * 4096, pattern(4096));
  EXPECT_THAT(full, StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(full.status().os_error(), ENOSPC);
  EXPECT_EQ(*file->write_some(100, pattern(4096)), 4096U) << "what is there may be overwritten";
  EXPECT_EQ(*memory_.free_bytes("."), 0U);
  file.reset();
  ASSERT_OK(memory_.remove("a"));
  ASSERT_OK(memory_.sync_folder("."));
  EXPECT_EQ(*memory_.free_bytes("."), 3 * 4096U);
}

TEST_F(MemoryTest, ReservedSpaceIsTakenAndKept) {
  memory_.set_capacity(10 * 4096);
  auto file = create("a");
  EXPECT_THAT(file->allocate(11 * 4096), StatusIs(Code::kResourceExhausted));
  ASSERT_OK(file->allocate(8 * 4096));
  EXPECT_EQ(*memory_.free_bytes("."), 2 * 4096U);
  auto other = create("b");
  EXPECT_EQ(*other->write_some(0, pattern(4 * 4096)), 2 * 4096U);
  EXPECT_OK(write_all(*file, 0, pattern(8 * 4096)));
  EXPECT_EQ(*memory_.free_bytes("."), 0U);
}

TEST_F(MemoryTest, FeaturesMayBeMissing) {
  memory_.set_features({.unnamed_files = false, .allocate = false, .direct = false, .map = false});
  auto file = create("a", pattern(10));
  EXPECT_THAT(memory_.create_unnamed("."), StatusIs(Code::kUnsupported));
  EXPECT_THAT(file->allocate(10), StatusIs(Code::kUnsupported));
  EXPECT_THAT(file->reopen_direct(), StatusIs(Code::kUnsupported));
  EXPECT_THAT(file->map(0, 10, MapMode::kReadOnly), StatusIs(Code::kUnsupported));
}

TEST_F(MemoryTest, DirectFilesAskForAlignment) {
  memory_.set_features({.direct = true});
  auto file = create("a", pattern(8192));
  ASSERT_OK_AND_ASSIGN(auto direct, file->reopen_direct());
  ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(8192));
  EXPECT_OK(direct->read_some(4096, buffer.bytes().first(4096)));
  for (const auto& status : {direct->read_some(1, buffer.bytes().first(4096)).status(),
                             direct->read_some(0, buffer.bytes().first(100)).status(),
                             direct->read_some(0, buffer.bytes().subspan(8, 4096)).status(),
                             direct->write_some(512, buffer.bytes().first(4096)).status()}) {
    EXPECT_EQ(status.os_error(), EINVAL);
  }
}

TEST_F(MemoryTest, OneNameManySpellings) {
  create("./a", pattern(10));
  EXPECT_EQ(memory_.content("a"), pattern(10));
  EXPECT_THAT(memory_.names(), ElementsAre("a"));
  EXPECT_THAT(*memory_.list("."), ElementsAre("a"));
}

}  // namespace
}  // namespace ingot::io
