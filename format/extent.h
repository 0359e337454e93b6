// Shape arithmetic on untrusted numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ingot/dtype.h"

namespace ingot::format {

// Elements of a shape, and the bytes from element [0, …] to the last one, through its strides
// (empty: row-major). nullopt when a dimension or stride is negative, when anything overflows, or
// when a sub-byte dtype does not fill whole bytes or has strides. A shape with a zero in it has 0
// bytes, but the product of its other dimensions must fit all the same.
struct Extent {
  std::uint64_t numel = 0;
  std::uint64_t bytes = 0;
};
std::optional<Extent> tensor_extent(DType dtype, std::span<const std::int64_t> shape,
                                    std::span<const std::int64_t> strides);

// Whether the strides say no more than row-major order (then the canonical form omits them).
bool is_row_major(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides);

}  // namespace ingot::format
