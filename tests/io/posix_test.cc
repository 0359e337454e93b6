// What only the real file system has: descriptors, limits, other processes, hazards of mappings.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>

#include "io/aligned_buffer.h"
#include "io/atomic_file.h"
#include "io/mapping_registry.h"
#include "io/posix_file.h"
#include "tests/io/child.h"
#include "tests/io/io_testing.h"

namespace ingot::io {
namespace {

using ::ingot::testing::StatusIs;
using ::testing::HasSubstr;

class PosixTest : public ::testing::Test {
 protected:
  std::string path(std::string_view name) const { return place_.path(name); }
  std::unique_ptr<File> create(std::string_view name, Bytes content = {}) {
    return create_file(posix(), path(name), content);
  }
  static void expect_close_on_exec(File& file) {
    EXPECT_NE(::fcntl(file.descriptor(), F_GETFD) & FD_CLOEXEC, 0) << file.path();
  }

  Place place_{PlaceKind::kDisk};
};

TEST_F(PosixTest, DescriptorsAreClosedOnExec) {
  auto created = create("file");
  expect_close_on_exec(*created);
  expect_close_on_exec(**posix().open(path("file"), Access::kRead));
  if (auto unnamed = posix().create_unnamed(place_.folder()); unnamed.ok()) {
    expect_close_on_exec(**unnamed);
  }
  if (auto direct = created->reopen_direct(); direct.ok()) expect_close_on_exec(**direct);
}

TEST_F(PosixTest, RegularFilesAreLeftBlocking) {
  create("file");
  ASSERT_OK_AND_ASSIGN(auto file, posix().open(path("file"), Access::kReadWrite));
  EXPECT_EQ(::fcntl(file->descriptor(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(PosixTest, OpeningAFifoDoesNotHang) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  ASSERT_OK_AND_ASSIGN(auto file, posix().open(path("fifo"), Access::kRead));
  EXPECT_FALSE(file->stat()->regular());
}

TEST_F(PosixTest, FoldersAreNotRegular) {
  ASSERT_OK_AND_ASSIGN(auto file, posix().open(place_.folder(), Access::kRead));
  EXPECT_FALSE(file->stat()->regular());
}

TEST_F(PosixTest, NamesTellWhatTheyStandFor) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("fifo", path("link").c_str()), 0);
  EXPECT_EQ(posix().stat_name(path("fifo"))->kind, NodeKind::kFifo);
  EXPECT_EQ(posix().stat_name(path("link"))->kind, NodeKind::kSymlink) << "not what it leads to";
  EXPECT_EQ(posix().stat_name(place_.folder())->kind, NodeKind::kFolder);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  EXPECT_EQ(adopt_descriptor(OwnedDescriptor(socket), "socket")->stat()->kind, NodeKind::kSocket);
}

TEST_F(PosixTest, KindsHaveNames) {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(NodeKind::kDevice); ++kind) {
    names.insert(kind_name(static_cast<NodeKind>(kind)));
  }
  EXPECT_EQ(names.size(), 6U);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST_F(PosixTest, PathsWithNulAreRefused) {
  create("file");
  const std::string two_paths = path("file") + std::string("\0/other", 7);
  EXPECT_THAT(posix().open(two_paths, Access::kRead), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(posix().remove(two_paths), StatusIs(Code::kInvalidArgument));
  EXPECT_FALSE(posix().exists(two_paths));
}

TEST_F(PosixTest, DanglingLinksTakeTheirName) {
  ASSERT_EQ(::symlink("nowhere", path("link").c_str()), 0);
  EXPECT_TRUE(posix().exists(path("link")));
  EXPECT_THAT(posix().create_exclusive(path("link")), StatusIs(Code::kAlreadyExists));
}

TEST_F(PosixTest, FilesGetTheModeThatTheUmaskLeaves) {
  const mode_t before = ::umask(027);
  auto file = create("file");
  ::umask(before);
  struct stat now {};
  ASSERT_EQ(::stat(path("file").c_str(), &now), 0);
  EXPECT_EQ(now.st_mode & 0777U, 0640U);
}

TEST_F(PosixTest, MissingFoldersAreNotFound) {
  const std::string missing = path("missing");
  EXPECT_THAT(posix().create_exclusive(join(missing, "file")), StatusIs(Code::kNotFound));
  EXPECT_THAT(posix().sync_folder(missing), StatusIs(Code::kNotFound));
  EXPECT_THAT(posix().list(missing), StatusIs(Code::kNotFound));
  EXPECT_THAT(posix().free_bytes(missing), StatusIs(Code::kNotFound));
}

// Zeros where there is nothing to count, as procfs says, and FUSE without a statfs.
TEST_F(PosixTest, AFileSystemWithoutBlocksDoesNotKnowWhatIsFree) {
  struct statvfs answer {};
  if (::statvfs("/proc", &answer) != 0 || answer.f_blocks != 0) GTEST_SKIP() << "no procfs";
  EXPECT_THAT(posix().free_bytes("/proc"), StatusIs(Code::kUnsupported));
  EXPECT_OK(AtomicFile::check_space(posix(), "/proc/model", std::uint64_t{1} << 40));
}

TEST_F(PosixTest, FilesOutgrowTheirFileSystem) {
  auto file = create("file");
  const Status status = file->allocate(std::uint64_t{1} << 62);
  EXPECT_THAT(status, StatusIs(Code::kResourceExhausted, HasSubstr("4.0 EiB")));
  EXPECT_NE(status.os_error(), 0);
}

TEST_F(PosixTest, MappingMoreThanThereIsAddressSpace) {
  auto file = create("file", pattern(10));
  EXPECT_THAT(file->map(0, std::uint64_t{1} << 50, MapMode::kReadOnly),
              StatusIs(Code::kResourceExhausted, HasSubstr("1.0 PiB")));
  EXPECT_THAT(file->map(5, ~std::uint64_t{0}, MapMode::kReadOnly),
              StatusIs(Code::kInvalidArgument));
}

TEST_F(PosixTest, LocksHoldBetweenProcesses) {
  auto file = create("file");
  ASSERT_OK(file->try_lock());
  const std::string name = path("file");
  EXPECT_EQ(in_child([&] {
              auto other = posix().open(name, Access::kRead);
              return other.ok() && (*other)->try_lock().code() == Code::kAlreadyExists ? 0 : 1;
            }),
            0);
}

// SIGXFSZ would end the process if the caller did not ignore it; then the call says EFBIG.
TEST_F(PosixTest, FileSizeLimitIsAnError) {
  const std::string name = path("file");
  const auto limited = [&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{10'000, 10'000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    auto file = posix().create_exclusive(name);
    if (!file.ok()) return 2;
    if (write_all(**file, 0, pattern(20'000)).code() != Code::kResourceExhausted) return 3;
    if ((*file)->stat()->bytes != 10'000) return 4;  // as far as it went
    if ((*file)->resize(20'000).code() != Code::kResourceExhausted) return 5;
    if ((*file)->allocate(20'000).code() != Code::kResourceExhausted) return 6;
    return 0;
  };
  EXPECT_EQ(in_child(limited), 0);
}

TEST_F(PosixTest, NoDescriptorsLeft) {
  create("file");
  const std::string name = path("file");
  const auto limited = [&] {
    const rlimit limit{3, 3};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
    const auto file = posix().open(name, Access::kRead);
    return file.status().code() == Code::kIoError && file.status().os_error() == EMFILE ? 0 : 2;
  };
  EXPECT_EQ(in_child(limited), 0);
}

TEST_F(PosixTest, MappingsAreRegisteredWhileTheyLive) {
  auto file = create("file", pattern(10'000));
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(4097, 5000, MapMode::kReadOnly));
  const std::byte* first = mapping->bytes().data();
  EXPECT_TRUE(is_registered_mapping(first));
  EXPECT_TRUE(is_registered_mapping(first + 4999));
  mapping.reset();
  EXPECT_FALSE(is_registered_mapping(first));
}

// The pages really come in, and no page beyond the asked ones needs to be there.
TEST_F(PosixTest, PopulatedRangesCanBeReadAfterTruncationElsewhere) {
  const auto bytes = pattern(64 * 4096);
  auto file = create("file", bytes);
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(0, bytes.size(), MapMode::kReadOnly));
  ASSERT_OK(file->resize(32 * 4096));
  for (std::size_t page = 0; page < 64; ++page) {
    const Status status = mapping->populate(page * 4096, 4096);
    if (page >= 32) {
      EXPECT_THAT(status, StatusIs(Code::kIoError)) << page;
      continue;
    }
    ASSERT_OK(status);
    EXPECT_EQ(std::memcmp(mapping->bytes().data() + page * 4096, bytes.data() + page * 4096, 4096),
              0);
  }
}

TEST_F(PosixTest, CallsAreClippedToWhatTheKernelTransfers) {
  EXPECT_EQ(clip_call(0), 0U);
  EXPECT_EQ(clip_call(4097), 4097U);
  EXPECT_EQ(clip_call(kMaxCallBytes), kMaxCallBytes);
  EXPECT_EQ(clip_call(kMaxCallBytes + 1), kMaxCallBytes);
  EXPECT_EQ(clip_call(~std::uint64_t{0}), kMaxCallBytes);
  static_assert(kMaxCallBytes < 0x7ffff000);
}

// Only the last bytes of the buffer's address range are ever touched: the file ends there.
TEST_F(PosixTest, RequestsOverTwoGibibytes) {
  constexpr std::uint64_t kLarge = std::uint64_t{3} << 30;
  auto file = create("file");
  ASSERT_OK(file->resize(kLarge));
  ASSERT_OK(write_all(*file, kLarge - 10, pattern(10)));
  ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(kLarge));
  EXPECT_EQ(*file->read_some(kLarge - 10, buffer.bytes()), 10U);
  EXPECT_EQ(std::memcmp(buffer.data(), pattern(10).data(), 10), 0);
}

TEST_F(PosixTest, DirectReadsBehindATruncationAreTruncated) {
  auto file = create("file", pattern(3 * 4096));
  ASSERT_OK(file->sync());
  auto direct = file->reopen_direct();
  if (!direct.ok()) GTEST_SKIP() << direct.status().to_string();
  ASSERT_OK(file->resize(5000));
  ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(3 * 4096));
  EXPECT_THAT(read_exact(**direct, 0, buffer.bytes()), StatusIs(Code::kTruncated));
}

}  // namespace
}  // namespace ingot::io
