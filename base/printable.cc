#include "base/printable.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/bytes.h"

namespace ingot {
namespace {

struct Character {
  std::uint32_t point = 0;
  std::size_t bytes = 0;  // 0: no UTF-8
};

// The character that `text` begins with. REQUIRES: !text.empty().
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes > text.size() || !is_valid_utf8(text.substr(0, bytes))) return {};
  std::uint32_t point = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  return {point, bytes};
}

bool is_hazard(std::uint32_t point, Ascii ascii) {
  if (point < 0x80) return ascii == Ascii::kEscapeControls && (point < 0x20 || point == 0x7F);
  return point < 0xA0 || point == 0x061C || point == 0x200E || point == 0x200F ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

std::string escape_of_byte(unsigned value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "\\x%02x", value);
  return text.data();
}
std::string escape_of_point(unsigned value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", value);
  return text.data();
}

}  // namespace

std::string printable(std::string_view text, Ascii ascii) {
  const bool plain = std::ranges::all_of(text, [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x80 && !is_hazard(byte, ascii);
  });
  if (plain) return std::string(text);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character next = first_character(text);
    if (next.bytes == 0) {
      out += escape_of_byte(static_cast<unsigned char>(text.front()));
    } else if (!is_hazard(next.point, ascii)) {
      out += text.substr(0, next.bytes);
    } else {
      out += next.point < 0x80 ? escape_of_byte(next.point) : escape_of_point(next.point);
    }
    text.remove_prefix(std::max<std::size_t>(next.bytes, 1));
  }
  return out;
}

}  // namespace ingot
