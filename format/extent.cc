#include "format/extent.h"

#include <cstddef>

#include "base/checked.h"

namespace ingot::format {
namespace {

// Product of the dimensions that are not zero: it must fit even where the shape has a zero in it,
// or a later change of that zero would meet an overflow.
std::optional<std::uint64_t> numel_without_zeros(std::span<const std::int64_t> shape,
                                                 bool* has_zero) {
  std::uint64_t product = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    if (dimension == 0) {
      *has_zero = true;
      continue;
    }
    if (!checked_mul(product, static_cast<std::uint64_t>(dimension), &product)) {
      return std::nullopt;
    }
  }
  return product;
}

// Position of the last element, in elements from the first.
std::optional<std::uint64_t> last_element(std::span<const std::int64_t> shape,
                                          std::span<const std::int64_t> strides) {
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (strides[i] < 0) return std::nullopt;
    const std::uint64_t steps = shape[i] > 0 ? static_cast<std::uint64_t>(shape[i]) - 1 : 0;
    std::uint64_t distance = 0;
    if (!checked_mul(steps, static_cast<std::uint64_t>(strides[i]), &distance) ||
        !checked_add(last, distance, &last)) {
      return std::nullopt;
    }
  }
  return last;
}

}  // namespace

std::optional<Extent> tensor_extent(DType dtype, std::span<const std::int64_t> shape,
                                    std::span<const std::int64_t> strides) {
  const auto element_bits = static_cast<std::uint64_t>(dtype_bits(dtype));
  const bool packed = element_bits % 8 != 0;
  if (element_bits == 0 || (!strides.empty() && (packed || strides.size() != shape.size()))) {
    return std::nullopt;
  }
  bool has_zero = false;
  const std::optional<std::uint64_t> product = numel_without_zeros(shape, &has_zero);
  std::uint64_t bits = 0;
  if (!product || !checked_mul(*product, element_bits, &bits)) return std::nullopt;
  if (!strides.empty()) {
    const std::optional<std::uint64_t> last = last_element(shape, strides);
    std::uint64_t elements = 0;
    if (!last || !checked_add(*last, std::uint64_t{1}, &elements) ||
        !checked_mul(elements, element_bits, &bits)) {
      return std::nullopt;
    }
  }
  if (has_zero) return Extent{.numel = 0, .bytes = 0};
  if (bits % 8 != 0) return std::nullopt;
  return Extent{.numel = *product, .bytes = bits / 8};
}

bool is_row_major(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides) {
  if (strides.empty()) return true;
  if (strides.size() != shape.size()) return false;
  std::uint64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (strides[i] < 0 || static_cast<std::uint64_t>(strides[i]) != expected) return false;
    // As PyTorch: a dimension of zero counts as one.
    const std::uint64_t dimension = shape[i] > 0 ? static_cast<std::uint64_t>(shape[i]) : 1;
    if (!checked_mul(expected, dimension, &expected)) return false;
  }
  return true;
}

}  // namespace ingot::format
