#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "io/mapping_registry.h"
#include "io/os_error.h"
#include "io/pages.h"
#include "io/posix_file.h"

namespace ingot::io {
namespace {

struct Unmap {
  std::uint64_t bytes = 0;
  void operator()(std::byte* base) const { ::munmap(base, bytes); }
};

// What mmap gave, and the part of it that was asked for.
struct Range {
  std::unique_ptr<std::byte, Unmap> base;  // page aligned
  std::uint64_t skip = 0;                  // bytes before the first that was asked for
  std::uint64_t length = 0;

  std::uint64_t mapped() const { return base.get_deleter().bytes; }
};

// Whether mincore() says the truth about the file: since Linux 5.2 only to those who own it or may
// write it; to others everything is "in memory".
bool may_know_residency(int descriptor) {
  struct stat now {};
  if (::geteuid() == 0) return true;
  if (::fstat(descriptor, &now) == 0 && now.st_uid == ::geteuid()) return true;
  return ::faccessat(descriptor, "", W_OK, AT_EACCESS | AT_EMPTY_PATH) == 0;
}

class PosixMapping final : public Mapping {
 public:
  PosixMapping(Range range, std::uint64_t file_offset, std::string path, bool knows_residency)
      : range_(std::move(range)),
        file_offset_(file_offset),
        path_(std::move(path)),
        knows_residency_(knows_residency) {
    if (range_.base != nullptr) register_mapping(range_.base.get(), range_.mapped());
  }
  ~PosixMapping() override {
    // Before it is unmapped: another mapping may take the address as soon as it is free.
    if (range_.base != nullptr) unregister_mapping(range_.base.get());
  }
  PosixMapping(const PosixMapping&) = delete;
  PosixMapping& operator=(const PosixMapping&) = delete;

  MutableBytes bytes() const override { return {range_.base.get() + range_.skip, range_.length}; }

  Status populate(std::uint64_t offset, std::uint64_t length) const override {
    if (!range_in(offset, length, range_.length)) {
      return make_error(Code::kInvalidArgument, "populate outside of the mapping")
          .file(path_)
          .expected("at most " + std::to_string(range_.length))
          .found(std::to_string(offset) + " + " + std::to_string(length));
    }
    if (length == 0) return {};
#ifdef MADV_POPULATE_READ
    const std::uint64_t begin = align_down(range_.skip + offset, page_bytes());
    const std::uint64_t end = align_up(range_.skip + offset + length, page_bytes());
    const int result = retry_interrupted(
        [&] { return ::madvise(range_.base.get() + begin, end - begin, MADV_POPULATE_READ); });
    if (result == 0 || errno == EINVAL) return {};  // EINVAL: before Linux 5.14
    if (errno == EFAULT) return unreadable(offset, length);
    return os_failure(path_, "cannot bring in the mapping", errno);
#else
    return {};
#endif
  }

  void release(std::uint64_t offset, std::uint64_t length) const override {
    if (!range_in(offset, length, range_.length)) return;
    const std::uint64_t begin = align_up(range_.skip + offset, page_bytes());
    const std::uint64_t end = align_down(range_.skip + offset + length, page_bytes());
    if (begin < end) ::madvise(range_.base.get() + begin, end - begin, MADV_DONTNEED);
  }

  Result<std::uint64_t> resident(std::uint64_t offset, std::uint64_t length) const override {
    if (!range_in(offset, length, range_.length)) {
      return make_error(Code::kInvalidArgument, "question outside of the mapping").file(path_);
    }
    if (!knows_residency_) {
      return make_error(Code::kUnsupported,
                        "the kernel tells what is in memory to owners and writers of a file alone")
          .file(path_);
    }
    const std::uint64_t begin = align_down(range_.skip + offset, page_bytes());
    const std::uint64_t end = range_.skip + offset + length;
    const auto found = resident_bytes(range_.base.get() + begin, end - begin);
    if (!found) return os_failure(path_, "cannot ask what is in memory", errno);
    return std::min(*found, length);
  }

 private:
  // The kernel says EFAULT where a touch would raise SIGBUS.
  Status unreadable(std::uint64_t offset, std::uint64_t length) const {
    return make_error(Code::kIoError, "the file is shorter than its mapping, or cannot be read")
        .file(path_)
        .at(Region::kFile, file_offset_ + offset, file_offset_ + offset + length)
        .os_error(EFAULT);
  }

  Range range_;
  std::uint64_t file_offset_;
  std::string path_;
  bool knows_residency_;
};

}  // namespace

Result<std::unique_ptr<Mapping>> map_descriptor(int descriptor, const std::string& path,
                                                std::uint64_t offset, std::uint64_t length,
                                                MapMode mode) {
  Range range;
  range.length = length;
  const bool knows = may_know_residency(descriptor);
  if (length == 0) return {std::make_unique<PosixMapping>(std::move(range), offset, path, knows)};
  const std::uint64_t aligned = align_down(offset, page_bytes());
  range.skip = offset - aligned;
  std::uint64_t mapped = 0;
  if (!checked_add(length, range.skip, &mapped)) {
    return make_error(Code::kInvalidArgument, "mapping is too long").file(path).found(length);
  }
  // Reading never needs more than MAP_PRIVATE, which also works where MAP_SHARED does not. Copies
  // on write are not charged beforehand: a 24 GB file must map on a machine with 16 GB.
  const bool writable = mode == MapMode::kCopyOnWrite;
  void* base = ::mmap(nullptr, mapped, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                      writable ? MAP_PRIVATE | MAP_NORESERVE : MAP_PRIVATE, descriptor,
                      static_cast<off_t>(aligned));
  if (base == MAP_FAILED) {
    const Code code = errno == ENODEV ? Code::kUnsupported : code_of_errno(errno);
    return make_error(code, "cannot map " + human_bytes(length)).file(path).os_error(errno);
  }
  range.base = {static_cast<std::byte*>(base), Unmap{mapped}};
  return {std::make_unique<PosixMapping>(std::move(range), offset, path, knows)};
}

}  // namespace ingot::io
