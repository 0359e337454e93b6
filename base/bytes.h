// Byte spans and little-endian fields.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace ingot {

static_assert(std::endian::native == std::endian::little,
              "files are little-endian and mapped; big-endian hosts are not supported");

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// REQUIRES: offset + sizeof(T) <= bytes.size().
template <typename T>
T load_le(Bytes bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}
template <typename T>
void store_le(MutableBytes bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Offset of the first byte that is not zero, or bytes.size().
std::size_t first_nonzero(Bytes bytes);

// Whether `text` is valid UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_valid_utf8(std::string_view text);
// ... and has no control characters (U+0000 to U+001F, U+007F).
bool is_printable_utf8(std::string_view text);

}  // namespace ingot
