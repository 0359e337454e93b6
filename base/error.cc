#include "base/error.h"

#include <array>
#include <cstdio>
#include <cstring>

#include "base/printable.h"

namespace ingot {

ErrorBuilder& ErrorBuilder::at(Region region, std::uint64_t begin, std::uint64_t end) {
  location_.region = region;
  location_.begin = begin;
  location_.end = end;
  return *this;
}

ErrorBuilder& ErrorBuilder::chunk(std::uint64_t number, std::uint64_t count) {
  location_.chunk = number;
  chunk_count_ = count;
  return *this;
}

Status ErrorBuilder::status() const {
  std::string text;
  if (!path_.empty()) text += path_ + ": ";
  text += what_;
  if (location_.region != Region::kNone) {
    text += " in the ";
    text += region_name(location_.region);
  }
  if (!location_.tensor.empty()) text += ": tensor \"" + location_.tensor + "\"";
  if (location_.chunk != Location::kNoChunk) {
    text += " chunk " + std::to_string(location_.chunk + 1) + "/" + std::to_string(chunk_count_);
  }
  if (location_.end > location_.begin) {
    text +=
        " bytes [" + std::to_string(location_.begin) + ", " + std::to_string(location_.end) + ")";
  }
  if (!expected_.empty()) text += ": expected " + expected_;
  if (!found_.empty()) text += (expected_.empty() ? ": found " : ", found ") + found_;
  if (os_error_ != 0) text += ": " + os_error_text(os_error_);
  if (!advice_.empty()) text += " (" + advice_ + ")";
  // One line that steers no terminal, whatever a path or a name holds; location_ keeps the name.
  return {code_, printable(text), location_, os_error_};
}

namespace {
// strerror_r has two signatures; these take whichever result it gave.
[[maybe_unused]] const char* chosen(const char* result, const char*) { return result; }
[[maybe_unused]] const char* chosen(int, const char* buffer) { return buffer; }
}  // namespace

std::string os_error_text(int number) {
  std::array<char, 256> buffer{};
  return chosen(strerror_r(number, buffer.data(), buffer.size()), buffer.data());
}

std::string hex(std::uint64_t value) {
  std::array<char, 24> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "0x%llx", static_cast<unsigned long long>(value));
  return buffer.data();
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  double value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value,
                kUnits[unit]);
  return buffer.data();
}

}  // namespace ingot
