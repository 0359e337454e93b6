#include "io/posix_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/error.h"
#include "io/os_error.h"
#include "io/remote_file_system.h"

namespace ingot::io {
namespace {

constexpr mode_t kPermissions = 0777;

NodeKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return NodeKind::kRegular;
  if (S_ISDIR(mode)) return NodeKind::kFolder;
  if (S_ISLNK(mode)) return NodeKind::kSymlink;
  if (S_ISFIFO(mode)) return NodeKind::kFifo;
  if (S_ISSOCK(mode)) return NodeKind::kSocket;
  return NodeKind::kDevice;
}

class PosixFile final : public File {
 public:
  PosixFile(OwnedDescriptor descriptor, std::string path, DirectAlignment alignment)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), alignment_(alignment) {}

  const std::string& path() const override { return path_; }
  void set_path(std::string path) override { path_ = std::move(path); }

  Result<std::size_t> read_some(std::uint64_t offset, MutableBytes destination) override {
    const auto done = retry_interrupted([&] {
      return ::pread(descriptor(), destination.data(), clip_call(destination.size()),
                     static_cast<off_t>(offset));
    });
    if (done < 0) return transfer_failure("cannot read", offset, destination.size());
    return static_cast<std::size_t>(done);
  }

  Result<std::size_t> write_some(std::uint64_t offset, Bytes source) override {
    const auto done = retry_interrupted([&] {
      return ::pwrite(descriptor(), source.data(), clip_call(source.size()),
                      static_cast<off_t>(offset));
    });
    if (done < 0) return transfer_failure("cannot write", offset, source.size());
    return static_cast<std::size_t>(done);
  }

  Status allocate(std::uint64_t bytes) override {
    if (bytes > 0 && retry_interrupted([&] {
                       return ::fallocate(descriptor(), 0, 0, static_cast<off_t>(bytes));
                     }) != 0) {
      return failure("cannot reserve " + human_bytes(bytes));
    }
    struct stat now {};
    if (::fstat(descriptor(), &now) != 0) return failure("cannot stat");
    // fallocate never shortens a file.
    return now.st_size == static_cast<off_t>(bytes) ? Status() : resize(bytes);
  }

  Status resize(std::uint64_t bytes) override {
    const int result =
        retry_interrupted([&] { return ::ftruncate(descriptor(), static_cast<off_t>(bytes)); });
    if (result != 0) return failure("cannot set the length to " + human_bytes(bytes));
    return {};
  }

  Status sync() override {
    // An interrupted fsync has not failed; any other failure is final (docs/design.md, "Commit").
    if (retry_interrupted([&] { return ::fsync(descriptor()); }) != 0)
      return failure("fsync failed");
    return {};
  }

  Result<FileStat> stat() override {
    struct stat now {};
    if (::fstat(descriptor(), &now) != 0) return failure("cannot stat");
    return to_file_stat(now);
  }

  Status set_permissions(std::uint32_t permissions) override {
    if (retry_interrupted([&] { return ::fchmod(descriptor(), permissions & kPermissions); }) !=
        0) {
      return failure("cannot set the permissions");
    }
    return {};
  }

  Result<std::unique_ptr<Mapping>> map(std::uint64_t offset, std::uint64_t length,
                                       MapMode mode) override {
    return map_descriptor(descriptor(), path_, offset, length, mode);
  }

  Status advise(Advice advice, std::uint64_t offset, std::uint64_t length) override {
    const int error = ::posix_fadvise(descriptor(), static_cast<off_t>(offset),
                                      static_cast<off_t>(length), advice_number(advice));
    return error == 0 ? Status() : os_failure(path_, "fadvise failed", error);
  }

  Status try_lock() override {
    if (retry_interrupted([&] { return ::flock(descriptor(), LOCK_EX | LOCK_NB); }) == 0) return {};
    if (errno == EWOULDBLOCK) {
      return make_error(Code::kAlreadyExists, "locked by another open file")
          .file(path_)
          .os_error(EWOULDBLOCK);
    }
    return failure("cannot lock");
  }

  Status close() override {
    if (descriptor() < 0) return os_failure(path_, "closed twice", EBADF);
    // The descriptor is gone whatever close() says, also after EINTR: never call it again.
    if (::close(descriptor_.release()) != 0 && errno != EINTR) {
      return failure("close failed");
    }
    return {};
  }

  Result<std::unique_ptr<File>> reopen_direct() override {
    return open_direct(descriptor(), path_);
  }
  DirectAlignment direct_alignment() const override { return alignment_; }
  std::string_view remote_file_system() const override {
    return io::remote_file_system(descriptor());
  }
  int descriptor() const override { return descriptor_.get(); }

 private:
  static int advice_number(Advice advice) {
    switch (advice) {
      case Advice::kSequential:
        return POSIX_FADV_SEQUENTIAL;
      case Advice::kWillNeed:
        return POSIX_FADV_WILLNEED;
      case Advice::kDontNeed:
        return POSIX_FADV_DONTNEED;
    }
    return POSIX_FADV_NORMAL;
  }

  Status failure(std::string_view what) const { return os_failure(path_, what, errno); }
  Status transfer_failure(std::string_view what, std::uint64_t offset, std::uint64_t bytes) const {
    const int number = errno;
    return make_error(code_of_errno(number), what)
        .file(path_)
        .at(Region::kFile, offset, offset + bytes)
        .os_error(number);
  }

  OwnedDescriptor descriptor_;  // -1 after close()
  std::string path_;
  DirectAlignment alignment_;
};

}  // namespace

FileStat to_file_stat(const struct ::stat& now) {
  FileStat result;
  result.bytes = now.st_size < 0 ? 0 : static_cast<std::uint64_t>(now.st_size);
  // In blocks of 512 bytes, whatever the file system's own are (stat(2)).
  result.allocated_bytes = now.st_blocks < 0 ? 0 : static_cast<std::uint64_t>(now.st_blocks) * 512;
  result.inode = now.st_ino;
  result.device = now.st_dev;
  result.links = now.st_nlink;
  result.modified_ns =
      std::int64_t{now.st_mtim.tv_sec} * 1'000'000'000 + std::int64_t{now.st_mtim.tv_nsec};
  result.permissions = now.st_mode & kPermissions;
  result.kind = kind_of(now.st_mode);
  return result;
}

OwnedDescriptor::~OwnedDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::unique_ptr<File> adopt_descriptor(OwnedDescriptor descriptor, std::string path,
                                       DirectAlignment alignment) {
  return std::make_unique<PosixFile>(std::move(descriptor), std::move(path), alignment);
}

}  // namespace ingot::io
