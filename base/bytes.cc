#include "base/bytes.h"

namespace ingot {

std::size_t first_nonzero(Bytes bytes) {
  // Eight bytes a step; the rest byte by byte.
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    if (load_le<std::uint64_t>(bytes, i) != 0) break;
  }
  while (i < bytes.size() && bytes[i] == std::byte{0}) ++i;
  return i;
}

namespace {

// Length of the UTF-8 sequence at `p`, or 0 when it is not one (RFC 3629, section 4).
std::size_t utf8_sequence(const unsigned char* p, std::size_t left) {
  const unsigned char lead = p[0];
  if (lead < 0x80) return 1;
  auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < left && p[i] >= low && p[i] <= high;
  };
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

bool valid_utf8(std::string_view text, bool allow_control) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t left = text.size();
  while (left >= 8) {  // eight printable ASCII bytes at once
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    constexpr std::uint64_t kHigh = 0x8080808080808080u;
    const std::uint64_t below_space = word - 0x2020202020202020u;
    const std::uint64_t x = word ^ 0x7F7F7F7F7F7F7F7Fu;
    const std::uint64_t is_delete = x - 0x0101010101010101u;
    if (((word | below_space | is_delete) & kHigh) != 0) break;
    p += 8;
    left -= 8;
  }
  while (left > 0) {
    if (!allow_control && (*p < 0x20 || *p == 0x7F)) return false;
    const std::size_t length = utf8_sequence(p, left);
    if (length == 0) return false;
    p += length;
    left -= length;
  }
  return true;
}

}  // namespace

bool is_valid_utf8(std::string_view text) { return valid_utf8(text, true); }
bool is_printable_utf8(std::string_view text) { return valid_utf8(text, false); }

}  // namespace ingot
