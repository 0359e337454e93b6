#include "io/fresh_memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "base/checked.h"
#include "io/file_system.h"

namespace ingot::io {
namespace {

constexpr std::uint64_t kPage = 4096;
// What one call of mincore() is asked about, and so what is brought in at once.
constexpr std::size_t kWindowPages = 1024;
// Not worth asking about: their faults take about as long.
constexpr std::uint64_t kFewPages = 8;

// Most of the window, whose pages are whole.
bool is_fresh(MutableBytes window) {
  std::array<unsigned char, kWindowPages> present{};
  if (::mincore(window.data(), window.size(), present.data()) != 0) return false;
  const std::size_t pages = window.size() / kPage;
  const auto there =
      std::count_if(present.begin(), present.begin() + static_cast<std::ptrdiff_t>(pages),
                    [](unsigned char page) { return (page & 1) != 0; });
  return static_cast<std::size_t>(there) < pages / 2;
}

// The first line of a small file; empty when it cannot be read.
std::string first_line(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  std::array<char, 256> text{};
  const ssize_t length = ::read(descriptor, text.data(), text.size());
  ::close(descriptor);
  const std::string line(text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  return line.substr(0, line.find('\n'));
}

// Feature bits are listed from the lowest.
bool is_reporting_balloon(const std::string& device) {
  constexpr std::string_view kBalloon = "0x0005";
  constexpr std::size_t kReporting = 5;  // VIRTIO_BALLOON_F_PAGE_REPORTING
  if (first_line(join(device, "device")) != kBalloon) return false;
  const std::string features = first_line(join(device, "features"));
  return features.size() > kReporting && features[kReporting] == '1';
}

}  // namespace

void bring_in(MutableBytes memory) {
#ifdef MADV_POPULATE_WRITE  // since Linux 5.14
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  const std::uint64_t skip = align_up(address, kPage) - address;
  if (memory.size() < skip + kFewPages * kPage) return;
  memory = memory.subspan(skip, align_down(memory.size() - skip, kPage));
  while (!memory.empty()) {
    const MutableBytes window = memory.first(std::min(memory.size(), kWindowPages * kPage));
    if (is_fresh(window)) ::madvise(window.data(), window.size(), MADV_POPULATE_WRITE);
    memory = memory.subspan(window.size());
  }
#else
  static_cast<void>(memory);
#endif
}

bool reports_free_pages(std::string_view virtio_devices) {
  const std::string folder(virtio_devices);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder.c_str()), ::closedir);
  if (listing == nullptr) return false;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with('.') && is_reporting_balloon(join(folder, name))) return true;
  }
  return false;
}

bool huge_pages_are_cheap() {
  static const bool cheap = !reports_free_pages("/sys/bus/virtio/devices");
  return cheap;
}

}  // namespace ingot::io
