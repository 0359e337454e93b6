// Checked arithmetic on numbers that come from a file. No `a + b > c` on such values anywhere else.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

namespace ingot {

template <std::unsigned_integral T>
[[nodiscard]] constexpr bool checked_add(T a, T b, T* sum) {
  return !__builtin_add_overflow(a, b, sum);
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr bool checked_mul(T a, T b, T* product) {
  return !__builtin_mul_overflow(a, b, product);
}

// Whether [offset, offset + length) lies within [0, size).
[[nodiscard]] constexpr bool range_in(std::uint64_t offset, std::uint64_t length,
                                      std::uint64_t size) {
  return offset <= size && length <= size - offset;
}

// `value` rounded up to a multiple of `alignment`, a power of two; nullopt on overflow.
[[nodiscard]] constexpr std::optional<std::uint64_t> checked_align_up(std::uint64_t value,
                                                                      std::uint64_t alignment) {
  std::uint64_t sum = 0;
  if (!checked_add(value, alignment - 1, &sum)) return std::nullopt;
  return sum & ~(alignment - 1);
}

// The same for trusted numbers.
[[nodiscard]] constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}
[[nodiscard]] constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t alignment) {
  return value & ~(alignment - 1);
}

[[nodiscard]] constexpr bool is_power_of_two(std::uint64_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

[[nodiscard]] constexpr std::uint64_t ceil_div(std::uint64_t value, std::uint64_t divisor) {
  return value / divisor + (value % divisor != 0 ? 1 : 0);
}

}  // namespace ingot
