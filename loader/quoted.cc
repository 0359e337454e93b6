#include "loader/quoted.h"

#include <array>
#include <cstddef>
#include <cstdio>

namespace ingot::loader {
namespace {

constexpr std::size_t kLongest = 80;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace

std::string quoted(std::string_view text) {
  std::size_t end = text.size();
  if (end > kLongest) {
    end = kLongest;
    while (continues_character(text[end])) --end;
  }
  std::string result = "\"";
  for (const char c : text.substr(0, end)) {
    if (is_control(c)) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned>(c));
      result += escaped.data();
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  result += end < text.size() ? "...\"" : "\"";
  return result;
}

}  // namespace ingot::loader
