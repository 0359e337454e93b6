// NumPy's .npy files (version 1.0 of the format).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ingot/dtype.h"

namespace ingot::tools {

// "<f4", "|b1", ...; nullopt where NumPy has no such type (bfloat16, float8, ...).
std::optional<std::string_view> npy_type(DType dtype);

// Everything before the data; a multiple of 64 bytes. REQUIRES: npy_type(dtype).
std::string npy_header(DType dtype, std::span<const std::int64_t> shape);

}  // namespace ingot::tools
