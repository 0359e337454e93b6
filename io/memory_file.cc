#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "io/memory_state.h"
#include "io/os_error.h"

namespace ingot::io::memory {
namespace {

using Impl = MemoryFileSystem::Impl;

// From the heap, and not fresh pages for each: tests map millions of times.
struct Free {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using PageAligned = std::unique_ptr<std::byte, Free>;

// A copy of the bytes at the time of the mapping.
class MemoryMapping final : public Mapping {
 public:
  MemoryMapping(std::shared_ptr<Impl> file_system, InodePtr inode, std::uint64_t offset,
                std::uint64_t length, PageAligned copy)
      : file_system_(std::move(file_system)),
        inode_(std::move(inode)),
        offset_(offset),
        length_(length),
        copy_(std::move(copy)) {}

  MutableBytes bytes() const override { return {copy_.get(), length_}; }

  Status populate(std::uint64_t offset, std::uint64_t length) const override {
    const std::lock_guard lock(file_system_->mutex);
    if (!range_in(offset, length, length_)) {
      return make_error(Code::kInvalidArgument, "populate outside of the mapping")
          .file(inode_->name);
    }
    const std::uint64_t begin = offset_ + offset;
    if (length == 0 || begin + length <= inode_->now.length()) return {};
    return make_error(Code::kIoError, "the file is shorter than its mapping")
        .file(inode_->name)
        .at(Region::kFile, begin, begin + length)
        .os_error(EFAULT);
  }

  void release(std::uint64_t, std::uint64_t) const override {}

  Result<std::uint64_t> resident(std::uint64_t offset, std::uint64_t length) const override {
    const std::lock_guard lock(file_system_->mutex);
    if (range_in(offset, length, length_)) return file_system_->features.cold ? 0 : length;
    return make_error(Code::kInvalidArgument, "question outside of the mapping");
  }

 private:
  std::shared_ptr<Impl> file_system_;
  InodePtr inode_;
  std::uint64_t offset_;
  std::uint64_t length_;
  PageAligned copy_;
};

struct Mode {
  Access access = Access::kRead;
  bool direct = false;
};

class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<Impl> file_system, InodePtr inode, std::string path, Mode mode)
      : file_system_(std::move(file_system)),
        inode_(std::move(inode)),
        path_(std::move(path)),
        mode_(mode) {}
  ~MemoryFile() override {
    const std::lock_guard lock(file_system_->mutex);
    unlock();
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  const InodePtr& inode() const { return inode_; }
  const std::string& path() const override { return path_; }
  void set_path(std::string path) override { path_ = std::move(path); }

  Result<std::size_t> read_some(std::uint64_t offset, MutableBytes destination) override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_open());
    INGOT_RETURN_IF_ERROR(check_aligned(offset, destination));
    const std::uint64_t length = inode_->now.length();
    if (offset >= length) return std::size_t{0};
    const std::size_t part = std::min<std::uint64_t>(destination.size(), length - offset);
    inode_->now.read(offset, destination.first(part));
    return part;
  }

  Result<std::size_t> write_some(std::uint64_t offset, Bytes source) override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_writable());
    INGOT_RETURN_IF_ERROR(check_aligned(offset, source));
    const std::size_t part = room(offset, source.size());
    if (part == 0 && !source.empty()) return failure("cannot write", ENOSPC);
    inode_->write(offset, source.first(part));
    inode_->modified_ns = file_system_->tick();
    return part;
  }

  Status allocate(std::uint64_t bytes) override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_writable());
    if (!file_system_->features.allocate) return failure("cannot reserve space", EOPNOTSUPP);
    const std::uint64_t pages = ceil_div(bytes, kPage);
    std::uint64_t charged = 0;
    for (std::uint64_t i = 0; i < std::min(pages, inode_->now.page_slots()); ++i) {
      if (inode_->is_charged(i)) ++charged;
    }
    if (pages > charged && pages - charged > file_system_->free_pages()) {
      return failure("cannot reserve " + human_bytes(bytes), ENOSPC);
    }
    inode_->resize(bytes);
    inode_->reserved_pages = pages;
    inode_->modified_ns = file_system_->tick();
    return {};
  }

  Status resize(std::uint64_t bytes) override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_writable());
    inode_->resize(bytes);
    inode_->modified_ns = file_system_->tick();
    return {};
  }

  Status sync() override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_open());
    inode_->sync();
    return {};
  }

  Result<FileStat> stat() override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_open());
    return inode_->stat();
  }

  Status set_permissions(std::uint32_t permissions) override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_open());
    inode_->permissions = permissions & 0777;
    return {};
  }

  Result<std::unique_ptr<Mapping>> map(std::uint64_t offset, std::uint64_t length,
                                       MapMode) override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_open());
    if (!file_system_->features.map) {
      return make_error(Code::kUnsupported, "cannot map").file(path_).os_error(ENODEV);
    }
    const std::uint64_t reserved =
        std::max(kPage, checked_align_up(length, kPage).value_or(length));
    PageAligned copy(static_cast<std::byte*>(std::aligned_alloc(kPage, reserved)));
    if (copy == nullptr) return failure("cannot map " + human_bytes(length), ENOMEM);
    inode_->now.read(offset, {copy.get(), length});
    return {std::make_unique<MemoryMapping>(file_system_, inode_, offset, length, std::move(copy))};
  }

  Status advise(Advice, std::uint64_t, std::uint64_t) override {
    const std::lock_guard lock(file_system_->mutex);
    return check_open();
  }

  Status try_lock() override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_open());
    if (inode_->lock_owner != nullptr && inode_->lock_owner != this) {
      return make_error(Code::kAlreadyExists, "locked by another open file")
          .file(path_)
          .os_error(EWOULDBLOCK);
    }
    inode_->lock_owner = this;
    return {};
  }

  Status close() override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_open());
    unlock();
    open_ = false;
    return {};
  }

  std::string_view remote_file_system() const override { return file_system_->features.remote; }
  Result<std::unique_ptr<File>> reopen_direct() override {
    const std::lock_guard lock(file_system_->mutex);
    INGOT_RETURN_IF_ERROR(check_open());
    if (!file_system_->features.direct) {
      return make_error(Code::kUnsupported, "no O_DIRECT: the file system does not have it")
          .file(path_)
          .os_error(EINVAL);
    }
    return {std::make_unique<MemoryFile>(file_system_, inode_, path_, Mode{mode_.access, true})};
  }

 private:
  Status failure(std::string_view what, int number) const {
    return os_failure(path_, what, number);
  }
  Status check_open() const { return open_ ? Status() : failure("file is closed", EBADF); }
  Status check_writable() const {
    return open_ && mode_.access == Access::kReadWrite ? Status()
                                                       : failure("not open for writing", EBADF);
  }
  Status check_aligned(std::uint64_t offset, Bytes memory) const {
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    if (!mode_.direct || ((offset | memory.size() | address) % kPage) == 0) return {};
    return failure("unaligned direct transfer", EINVAL);
  }
  void unlock() {
    if (inode_->lock_owner == this) inode_->lock_owner = nullptr;
  }

  // How many of `bytes` at `offset` find space.
  std::size_t room(std::uint64_t offset, std::size_t bytes) const {
    if (bytes == 0) return 0;
    std::uint64_t left = file_system_->free_pages();
    for (std::uint64_t page = offset / kPage; page <= (offset + bytes - 1) / kPage; ++page) {
      if (inode_->is_charged(page)) continue;
      if (left == 0) return page * kPage <= offset ? 0 : page * kPage - offset;
      --left;
    }
    return bytes;
  }

  const std::shared_ptr<Impl> file_system_;
  const InodePtr inode_;
  std::string path_;
  const Mode mode_;
  bool open_ = true;
};

}  // namespace

std::unique_ptr<File> make_file(std::shared_ptr<Impl> file_system, InodePtr inode, std::string path,
                                Access access) {
  return std::make_unique<MemoryFile>(std::move(file_system), std::move(inode), std::move(path),
                                      Mode{access, false});
}

InodePtr inode_of(File& file) {
  auto* memory_file = dynamic_cast<MemoryFile*>(&file);
  return memory_file == nullptr ? nullptr : memory_file->inode();
}

}  // namespace ingot::io::memory
