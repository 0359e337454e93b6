#include "bench/support/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "bench/support/descriptor.h"

namespace ingot::bench {
namespace {

constexpr std::uint64_t kPage = 4096;

}  // namespace

Residency residency(const std::string& path) {
  Descriptor file(path, O_RDONLY);
  std::uint64_t size = file.size();
  Residency result{.resident = 0, .total = (size + kPage - 1) / kPage * kPage};
  if (size == 0) return result;
  void* address = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) throw_errno("mmap " + path);
  std::vector<unsigned char> pages(result.total / kPage);
  int failed = mincore(address, size, pages.data());
  munmap(address, size);
  if (failed != 0) throw_errno("mincore " + path);
  auto resident = std::count_if(pages.begin(), pages.end(), [](auto page) { return page & 1; });
  result.resident = static_cast<std::uint64_t>(resident) * kPage;
  return result;
}

namespace {

void read_all(const std::string& path) {
  Descriptor file(path, O_RDONLY);
  std::vector<char> buffer(std::size_t{4} << 20);
  for (;;) {
    ssize_t n = read(file.get(), buffer.data(), buffer.size());
    if (n < 0) throw_errno("read " + path);
    if (n == 0) return;
  }
}

}  // namespace

// What was written with O_DIRECT, or lay on lists that the kernel takes from first, may need more
// than one reading to stay.
bool make_warm(const std::string& path) {
  for (int i = 0; i < 4; ++i) {
    read_all(path);
    if (residency(path).warm()) return true;
  }
  return false;
}

// A page that the kernel itself holds for a moment, to move or reclaim it, needs a second asking.
bool make_cold(const std::string& path) {
  Descriptor file(path, O_RDONLY);
  if (fsync(file.get()) != 0) throw_errno("fsync " + path);
  for (int i = 0; i < 4; ++i) {
    if (int error = posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED); error != 0) {
      throw_errno("posix_fadvise " + path, error);
    }
    if (residency(path).cold()) return true;
  }
  return false;
}

bool make_warm_anew(const std::string& path) {
  make_cold(path);
  return make_warm(path);
}

}  // namespace ingot::bench
