#include "bench/support/descriptor.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <system_error>

namespace ingot::bench {

void throw_errno(const std::string& what, int error) {
  throw std::system_error(error, std::generic_category(), what);
}

Descriptor::Descriptor(const std::string& path, int flags, unsigned mode)
    : descriptor_(open(path.c_str(), flags | O_CLOEXEC, mode)) {
  if (descriptor_ < 0) throw_errno("open " + path);
}

Descriptor::~Descriptor() { close(descriptor_); }

std::uint64_t Descriptor::size() const {
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) throw_errno("fstat");
  return static_cast<std::uint64_t>(status.st_size);
}

Memory::Memory(std::uint64_t bytes) : size_(bytes) {
  constexpr std::uint64_t kHuge = std::uint64_t{2} << 20;
  reserved_ = (bytes + kHuge - 1) / kHuge * kHuge;
  void* address = mmap(nullptr, reserved_ + kHuge, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) throw_errno("mmap " + std::to_string(bytes) + " bytes");
  // Keep the part that begins on a huge page; give back what lies before and after it.
  auto* begin = static_cast<std::byte*>(address);
  std::size_t before = (kHuge - reinterpret_cast<std::uintptr_t>(begin) % kHuge) % kHuge;
  data_ = begin + before;
  if (before > 0) munmap(begin, before);
  munmap(data_ + reserved_, kHuge - before);
  madvise(data_, reserved_, MADV_HUGEPAGE);
  std::memset(data_, 0, reserved_);
}

Memory::~Memory() { munmap(data_, reserved_); }

MappedFile::MappedFile(const std::string& path) {
  Descriptor file(path, O_RDONLY);
  size_ = file.size();
  void* address = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.get(), 0);
  if (address == MAP_FAILED) throw_errno("mmap " + path);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() { munmap(const_cast<std::byte*>(data_), size_); }

}  // namespace ingot::bench
