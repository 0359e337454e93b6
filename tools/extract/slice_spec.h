// --slice: part of a tensor, as NumPy writes it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/status.h"

namespace ingot::tools {

struct SliceSpec {
  Slice slice;
  std::vector<std::int64_t> shape;  // of the result: without dimensions that an index took away
};

// "0:10,:,3" of a tensor of this shape: an index or begin:end for each dimension from the first;
// dimensions that are not mentioned are taken whole. Negative numbers count from the end. Other
// than NumPy, what lies outside of the shape is an error (kInvalidArgument), and there are no
// steps.
Result<SliceSpec> parse_slice(std::string_view text, std::span<const std::int64_t> shape);

// The whole tensor.
SliceSpec whole(std::span<const std::int64_t> shape);

}  // namespace ingot::tools
