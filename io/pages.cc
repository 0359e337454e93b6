#include "io/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/checked.h"

namespace ingot::io {

std::uint64_t page_bytes() {
  static const auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

std::optional<std::uint64_t> resident_bytes(std::byte* begin, std::uint64_t bytes) {
  // Asked in pieces, so that the answer fits on the stack.
  std::array<unsigned char, 1024> pages;
  const std::uint64_t piece = pages.size() * page_bytes();
  std::uint64_t found = 0;
  for (std::uint64_t at = 0; at < bytes; at += piece) {
    const std::uint64_t length = std::min(piece, bytes - at);
    if (::mincore(begin + at, length, pages.data()) != 0) return std::nullopt;
    const auto count = static_cast<std::ptrdiff_t>(ceil_div(length, page_bytes()));
    found += static_cast<std::uint64_t>(std::count_if(
        pages.begin(), pages.begin() + count, [](unsigned char p) { return (p & 1) != 0; }));
  }
  return found * page_bytes();
}

}  // namespace ingot::io
