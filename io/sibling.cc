#include "io/sibling.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "io/file_system.h"

namespace ingot::io {
namespace {

constexpr std::size_t kHexDigits = 16;
// A name has at most 255 bytes: of a longer NAME the sibling has only the beginning.
constexpr std::size_t kMaxStem = 255 - kHexDigits - 6;

std::string sibling_prefix(std::string_view path) {
  return std::string(".").append(name_of(path).substr(0, kMaxStem)).append(".tmp.");
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, GRND_NONBLOCK) == ssize_t{sizeof number}) return number;
  // Good enough: a name that is taken is tried again with another.
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return static_cast<std::uint64_t>(now) * 0x9E3779B97F4A7C15U ^
         static_cast<std::uint64_t>(::getpid()) << 32;
}

}  // namespace

std::string random_sibling(std::string_view path) {
  std::array<char, kHexDigits + 1> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx",
                static_cast<unsigned long long>(random_number()));
  return join(folder_of(path), sibling_prefix(path) + digits.data());
}

bool is_sibling(std::string_view path, std::string_view name) {
  const std::string prefix = sibling_prefix(path);
  if (!name.starts_with(prefix) || name.size() != prefix.size() + kHexDigits) return false;
  return std::ranges::all_of(name.substr(prefix.size()), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

}  // namespace ingot::io
