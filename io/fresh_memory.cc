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
#include "io/pages.h"
#include "io/posix_file.h"

namespace ingot::io {
namespace {

// What is brought in at once, or left alone.
constexpr std::uint64_t kWindowPages = 1024;
// Not worth asking about: their faults take about as long.
constexpr std::uint64_t kFewPages = 8;

// Most of the window, whose pages are whole.
bool is_fresh(MutableBytes window) {
  const auto there = resident_bytes(window.data(), window.size());
  return there && *there < window.size() / 2;
}

// The first line of a small file; empty when it cannot be read.
std::string first_line(const std::string& path) {
  const OwnedDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) return {};
  std::array<char, 256> text{};
  const ssize_t length = ::read(descriptor.get(), text.data(), text.size());
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
  const std::uint64_t page = page_bytes();
  const std::uint64_t skip = align_up(address, page) - address;
  if (memory.size() < skip + kFewPages * page) return;
  memory = memory.subspan(skip, align_down(memory.size() - skip, page));
  while (!memory.empty()) {
    const MutableBytes window =
        memory.first(std::min<std::uint64_t>(memory.size(), kWindowPages * page));
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
