#include "tools/diff/values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace ingot::tools {
namespace {

constexpr std::uint64_t kBlockElements = 1024;  // of any dtype: a whole number of bytes

// |a - b|; NaN when either is.
Number distance(std::span<const Number> a, std::span<const Number> b) {
  std::array<Number, 2> parts{};
  for (std::size_t c = 0; c < a.size(); ++c) {
    parts[c] = a[c] == b[c] ? 0 : std::fabs(a[c] - b[c]);  // inf - inf would be NaN
  }
  return a.size() == 2 ? std::hypot(parts[0], parts[1]) : parts[0];
}

bool any_nan(std::span<const Number> numbers) {
  return std::any_of(numbers.begin(), numbers.end(), [](Number n) { return std::isnan(n); });
}

}  // namespace

void ValueComparer::add(Bytes a, Bytes b, std::uint64_t elements) {
  const std::uint64_t base = diff_.elements;
  diff_.elements += elements;
  const auto bits = static_cast<std::uint64_t>(dtype_bits(a_));
  for (std::uint64_t first = 0; first < elements; first += kBlockElements) {
    const std::uint64_t count = std::min(kBlockElements, elements - first);
    if (a_ == b_) {
      const auto begin = static_cast<std::size_t>(first * bits / 8);
      const auto size = static_cast<std::size_t>((count * bits + 7) / 8);
      if (std::memcmp(a.data() + begin, b.data() + begin, size) == 0) continue;
    }
    add_block(a, b, first, count, base);
  }
}

void ValueComparer::add_block(Bytes a, Bytes b, std::uint64_t first, std::uint64_t count,
                              std::uint64_t base) {
  const auto width = static_cast<std::size_t>(components(a_));
  const bool comparable = width != 0 && components(b_) == components(a_);
  std::array<Number, 2 * kBlockElements> numbers_a;  // NOLINT: filled by decode()
  std::array<Number, 2 * kBlockElements> numbers_b;  // NOLINT
  const auto total = static_cast<std::size_t>(count) * width;
  if (comparable) {
    decode(a_, a, first, std::span(numbers_a).first(total));
    decode(b_, b, first, std::span(numbers_b).first(total));
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i) * width;
    const std::span<const Number> x(numbers_a.data() + at, comparable ? width : 0);
    const std::span<const Number> y(numbers_b.data() + at, comparable ? width : 0);
    const bool differs = a_ == b_
                             ? element_differs(a_, a, b, first + i)
                             : !std::equal(x.begin(), x.end(), y.begin(), y.end()) || !comparable;
    if (!differs) continue;
    if (a_ != b_ && comparable && any_nan(x) && any_nan(y)) continue;  // NaN in either type
    ++diff_.differing;
    if (!comparable) continue;
    if (any_nan(x) || any_nan(y)) {
      ++diff_.nan;
      continue;
    }
    const Number d = distance(x, y);
    if (!diff_.has_max || d > diff_.max_abs) {
      diff_.has_max = true;
      diff_.max_abs = d;
      diff_.max_at = base + first + i;
    }
  }
}

}  // namespace ingot::tools
