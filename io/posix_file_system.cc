#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "base/checked.h"
#include "base/error.h"
#include "io/file_system.h"
#include "io/os_error.h"
#include "io/posix_file.h"

namespace ingot::io {
namespace {

constexpr mode_t kFileMode = 0666;  // less the umask
constexpr unsigned kRenameNoReplace = 1;

// A string for the kernel. An embedded NUL would silently name another file.
Result<std::string> c_path(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) {
    return make_error(Code::kInvalidArgument, "a path with a NUL byte");
  }
  return std::string(path);
}

Result<std::unique_ptr<File>> opened(OwnedDescriptor descriptor, std::string path,
                                     std::string_view what) {
  if (descriptor.get() < 0) return os_failure(path, what, errno);
  return adopt_descriptor(std::move(descriptor), std::move(path));
}

// O_NONBLOCK kept open() from waiting for the other end of a FIFO. It must go before io_uring sees
// the file: on some kernels it answers EAGAIN instead of waiting for a regular file's pages.
void clear_nonblock_of_regular(int descriptor) {
  struct stat now {};
  if (::fstat(descriptor, &now) != 0 || !S_ISREG(now.st_mode)) return;
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags >= 0) ::fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
}

// The name by which a file without one can be linked.
std::string name_in_proc(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

// link(2) and unlink(2), where a file system refuses renameat2's flag: never replaces either. A
// crash between the two leaves both names on the same file; so does an unlink that fails, which is
// no error: the file stands under its new name by then.
Status link_then_remove(const std::string& from, const std::string& to) {
  if (::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0) != 0) {
    return os_failure(to, "cannot link " + from, errno);
  }
  // Once more where it fails: nothing else would remove it before the next AtomicFile::create().
  if (::unlink(from.c_str()) != 0) static_cast<void>(::unlink(from.c_str()));
  return {};
}

// Null at the end, with errno 0, and on an error. Whatever ran before may have set errno.
const dirent* next_entry(DIR* folder) {
  errno = 0;
  return ::readdir(folder);
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(std::string_view path, Access access) override {
    INGOT_ASSIGN_OR_RETURN(std::string name, c_path(path));
    const int mode = access == Access::kRead ? O_RDONLY : O_RDWR;
    OwnedDescriptor descriptor(retry_interrupted(
        [&] { return ::open(name.c_str(), mode | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); }));
    if (descriptor.get() >= 0) clear_nonblock_of_regular(descriptor.get());
    return opened(std::move(descriptor), std::move(name), "cannot open");
  }

  Result<std::unique_ptr<File>> create_unnamed(std::string_view folder) override {
    INGOT_ASSIGN_OR_RETURN(std::string name, c_path(folder));
    std::string called = join(name, "(unnamed file)");
    OwnedDescriptor descriptor(retry_interrupted(
        [&] { return ::open(name.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kFileMode); }));
    // A kernel that does not know the flag sees a folder opened for writing.
    if (descriptor.get() < 0 && errno == EISDIR) errno = EOPNOTSUPP;
    // link() would fail, and only when all is written.
    struct stat now {};
    if (descriptor.get() >= 0 && ::stat(name_in_proc(descriptor.get()).c_str(), &now) != 0) {
      return make_error(Code::kUnsupported, "no unnamed files: /proc is not mounted").file(called);
    }
    return opened(std::move(descriptor), std::move(called), "cannot create");
  }

  Result<std::unique_ptr<File>> create_exclusive(std::string_view path) override {
    INGOT_ASSIGN_OR_RETURN(std::string name, c_path(path));
    OwnedDescriptor descriptor(retry_interrupted(
        [&] { return ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode); }));
    return opened(std::move(descriptor), std::move(name), "cannot create");
  }

  Status link(File& file, std::string_view path) override {
    INGOT_ASSIGN_OR_RETURN(const std::string name, c_path(path));
    const std::string source = name_in_proc(file.descriptor());
    if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return os_failure(name, "cannot link", errno);
    }
    return {};
  }

  Status rename(std::string_view from, std::string_view to) override {
    INGOT_ASSIGN_OR_RETURN(const std::string source, c_path(from));
    INGOT_ASSIGN_OR_RETURN(const std::string target, c_path(to));
    if (std::rename(source.c_str(), target.c_str()) != 0) {
      return os_failure(target, "cannot rename " + source, errno);
    }
    return {};
  }

  Status rename_no_replace(std::string_view from, std::string_view to) override {
    INGOT_ASSIGN_OR_RETURN(const std::string source, c_path(from));
    INGOT_ASSIGN_OR_RETURN(const std::string target, c_path(to));
    // By number: not every C library has the wrapper.
    if (::syscall(SYS_renameat2, AT_FDCWD, source.c_str(), AT_FDCWD, target.c_str(),
                  kRenameNoReplace) == 0) {
      return {};
    }
    if (errno == EINVAL || errno == ENOSYS) return link_then_remove(source, target);
    return os_failure(target, "cannot rename " + source, errno);
  }

  Status remove(std::string_view path) override {
    INGOT_ASSIGN_OR_RETURN(const std::string name, c_path(path));
    if (::unlink(name.c_str()) != 0) return os_failure(name, "cannot remove", errno);
    return {};
  }

  Status sync_folder(std::string_view folder) override {
    INGOT_ASSIGN_OR_RETURN(std::string name, c_path(folder));
    OwnedDescriptor descriptor(retry_interrupted(
        [&] { return ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                           opened(std::move(descriptor), std::move(name), "cannot open"));
    return file->sync();
  }

  Result<std::uint64_t> free_bytes(std::string_view folder) override {
    INGOT_ASSIGN_OR_RETURN(const std::string name, c_path(folder));
    struct statvfs answer {};
    if (retry_interrupted([&] { return ::statvfs(name.c_str(), &answer); }) != 0) {
      return os_failure(name, "cannot ask for free space", errno);
    }
    // Of a file system without blocks, or one that does not say: FUSE without a statfs.
    if (answer.f_blocks == 0) {
      return make_error(Code::kUnsupported, "the file system does not tell its free space")
          .file(name);
    }
    std::uint64_t bytes = 0;
    if (!checked_mul<std::uint64_t>(answer.f_bavail, answer.f_frsize, &bytes)) bytes = ~bytes;
    return bytes;
  }

  Result<std::vector<std::string>> list(std::string_view folder) override {
    INGOT_ASSIGN_OR_RETURN(const std::string name, c_path(folder));
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(
        ::opendir(name.c_str()), [](DIR* handle) { return ::closedir(handle); });
    if (stream == nullptr) return os_failure(name, "cannot list", errno);
    std::vector<std::string> names;
    while (const dirent* entry = next_entry(stream.get())) {
      const std::string_view entry_name = entry->d_name;
      if (entry_name != "." && entry_name != "..") names.emplace_back(entry_name);
    }
    if (errno != 0) return os_failure(name, "cannot list", errno);
    return names;
  }

  bool exists(std::string_view path) override {
    const Result<std::string> name = c_path(path);
    struct stat now {};
    // A link that leads nowhere is a taken name too.
    return name.ok() && ::lstat(name->c_str(), &now) == 0;
  }

  Result<FileStat> stat_name(std::string_view path) override {
    INGOT_ASSIGN_OR_RETURN(const std::string name, c_path(path));
    struct stat now {};
    if (::lstat(name.c_str(), &now) != 0) return os_failure(name, "cannot look at it", errno);
    return to_file_stat(now);
  }

  bool has_descriptors() const override { return true; }
};

}  // namespace

FileSystem& posix() {
  static auto& file_system = *new PosixFileSystem;
  return file_system;
}

}  // namespace ingot::io
