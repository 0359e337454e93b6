// Kernels, file systems and containers that lack a call: what serves in its stead.
#include <fcntl.h>
#include <sys/syscall.h>

#include <cerrno>

#include "io/atomic_file.h"
#include "io/sibling.h"
#include "tests/io/atomic_testing.h"
#include "tests/io/child.h"
#include "tests/io/io_testing.h"

namespace ingot::io {
namespace {

using ::ingot::testing::StatusIs;

class PosixFallback : public ::testing::Test {
 protected:
  std::string path(std::string_view name) const { return place_.path(name); }

  // `function` returns 0 when all is well.
  template <typename Function>
  void without(int number, int error, Function function) {
    const int result = in_child_without(number, error, function);
    if (result == kNoFilters) GTEST_SKIP() << "no seccomp here";
    EXPECT_EQ(result, 0);
  }

  // The same where files cannot be opened with `flags`.
  template <typename Function>
  void without_flags(int flags, int error, Function function) {
    const int result =
        in_child([&] { return refuse_open_flags(flags, error) ? function() : kNoFilters; });
    if (result == kNoFilters) GTEST_SKIP() << "no seccomp here";
    EXPECT_EQ(result, 0);
  }

  Place place_{PlaceKind::kDisk};
};

// EISDIR is what a kernel says that does not know O_TMPFILE.
TEST_F(PosixFallback, FileSystemsWithoutUnnamedFiles) {
  for (const int error : {EOPNOTSUPP, EISDIR}) {
    without_flags(O_TMPFILE, error, [&] {
      if (posix().create_unnamed(path("")).status().code() != Code::kUnsupported) return 1;
      auto atomic = AtomicFile::create(posix(), path("model"), {});
      if (!atomic.ok() || !write_all(atomic->file(), 0, pattern(5000)).ok()) return 2;
      if (!atomic->publish().ok()) return 3;
      return content_of(posix(), path("model")) == pattern(5000) ? 0 : 4;
    });
    EXPECT_OK(posix().remove(path("model")));
  }
}

// Where /proc is not mounted an unnamed file could never be given a name: a named one serves.
TEST_F(PosixFallback, ContainersWithoutProc) {
  constexpr int kNoRoot = 78;
  const int result = in_child([&] {
    if (::chroot(place_.folder().c_str()) != 0 || ::chdir("/") != 0) return kNoRoot;
    if (posix().create_unnamed("/").status().code() != Code::kUnsupported) return 1;
    auto atomic = AtomicFile::create(posix(), "/model", {});
    if (!atomic.ok() || !write_all(atomic->file(), 0, pattern(5000)).ok()) return 2;
    if (!atomic->publish().ok()) return 3;
    return content_of(posix(), "/model") == pattern(5000) ? 0 : 4;
  });
  if (result == kNoRoot) GTEST_SKIP() << "only root gets another root folder";
  EXPECT_EQ(result, 0);
}

TEST_F(PosixFallback, FileSystemsWithoutDirectIo) {
  auto file = create_file(posix(), path("file"), pattern(5000));
  without_flags(O_DIRECT, EINVAL, [&] {
    const auto direct = file->reopen_direct();
    return direct.status().code() == Code::kUnsupported ? 0 : 1;
  });
}

TEST_F(PosixFallback, RenamesThatNeverReplace) {
  for (const int error : {EINVAL, ENOSYS}) {
    create_file(posix(), path("new"), pattern(10, 1));
    create_file(posix(), path("taken"), pattern(10, 2));
    without(SYS_renameat2, error, [&] {
      FileSystem& files = posix();
      if (files.rename_no_replace(path("new"), path("taken")).code() != Code::kAlreadyExists) {
        return 1;
      }
      if (content_of(files, path("taken")) != pattern(10, 2)) return 2;
      if (!files.rename_no_replace(path("new"), path("free")).ok()) return 3;
      if (files.exists(path("new")) || content_of(files, path("free")) != pattern(10, 1)) return 4;
      return 0;
    });
    for (const char* name : {"free", "taken"}) EXPECT_OK(posix().remove(path(name)));
  }
}

#ifdef SYS_unlink
// link(2) has published by then: a name that cannot be removed is a leftover, and no failure.
TEST_F(PosixFallback, ARenameWhoseOldNameStays) {
  const auto refused = [](auto function) {
    return in_child([&] {
      const bool filtered = refuse_call(SYS_renameat2, EINVAL) && refuse_call(SYS_unlink, EACCES);
      return filtered ? function() : kNoFilters;
    });
  };
  const std::string folder = place_.folder();
  int result = refused([&] {
    FileSystem& files = posix();
    auto file = files.create_exclusive(path("new"));
    if (!file.ok() || !write_all(**file, 0, pattern(10)).ok()) return 1;
    if (!files.rename_no_replace(path("new"), path("free")).ok()) return 2;
    return content_of(files, path("free")) == pattern(10) ? 0 : 3;
  });
  if (result == kNoFilters) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(result, 0);
  result = refused([&] {
    // Without unnamed files the sibling gets its name by a rename.
    MaybeUnnamed files(posix(), false);
    FaultFileSystem watched(files);
    int folder_syncs = 0;
    watched.set_observer([&](std::uint64_t, Call call, const std::string&) {
      if (call == Call::kSyncFolder) ++folder_syncs;
    });
    auto atomic = AtomicFile::create(watched, path("model"), {.replace = false, .durable = true});
    if (!atomic.ok() || !write_all(atomic->file(), 0, pattern(5000)).ok()) return 1;
    if (!atomic->publish().ok()) return 2;
    if (folder_syncs != 1) return 3;
    return content_of(posix(), path("model")) == pattern(5000) ? 0 : 4;
  });
  EXPECT_EQ(result, 0);
  // The next writer of the name takes the leftover away.
  EXPECT_EQ(posix().list(folder)->size(), 4U);
  EXPECT_OK(AtomicFile::create(posix(), path("model"), {}));
  EXPECT_EQ(posix().list(folder)->size(), 3U);
  EXPECT_EQ(content_of(posix(), path("model")), pattern(5000));
}
#endif

TEST_F(PosixFallback, FileSystemsThatCannotReserve) {
  without(SYS_fallocate, EOPNOTSUPP, [&] {
    auto file = posix().create_exclusive(path("file"));
    if (!file.ok() || (*file)->allocate(5000).code() != Code::kUnsupported) return 1;
    auto atomic = AtomicFile::create(posix(), path("model"), {});
    if (!atomic.ok() || !atomic->reserve(5000).ok()) return 2;
    return atomic->file().stat()->bytes == 5000 ? 0 : 3;
  });
}

TEST_F(PosixFallback, KernelsThatCannotPopulate) {
  auto file = create_file(posix(), path("file"), pattern(5000));
  without(SYS_madvise, EINVAL, [&] {
    auto mapping = file->map(0, 5000, MapMode::kReadOnly);
    return mapping.ok() && (*mapping)->populate(0, 5000).ok() ? 0 : 1;
  });
}

// ENOLCK is what NFSv3 says without its lock daemon.
TEST_F(PosixFallback, FileSystemsWithoutLocks) {
  for (const int error : {ENOSYS, EOPNOTSUPP, ENOLCK}) {
    without(SYS_flock, error, [&] {
      auto atomic = AtomicFile::create(posix(), path("model"), {});
      if (!atomic.ok() || atomic->file().try_lock().code() != Code::kUnsupported) return 1;
      return atomic->publish().ok() && posix().exists(path("model")) ? 0 : 2;
    });
  }
}

// Without locks nobody can tell a dead writer's sibling from a live one's: it stays.
TEST_F(PosixFallback, WithoutLocksNothingIsReclaimed) {
  const std::string sibling = random_sibling(path("model"));
  create_file(posix(), sibling, pattern(10));
  without(SYS_flock, ENOSYS, [&] {
    auto atomic = AtomicFile::create(posix(), path("model"), {});
    return atomic.ok() && posix().exists(sibling) ? 0 : 1;
  });
}

TEST_F(PosixFallback, FileSystemsThatCannotMap) {
  auto file = posix().open("/proc/self/status", Access::kRead);
  if (!file.ok()) GTEST_SKIP() << file.status().to_string();
  EXPECT_THAT((*file)->map(0, 100, MapMode::kReadOnly), StatusIs(Code::kUnsupported));
}

}  // namespace
}  // namespace ingot::io
