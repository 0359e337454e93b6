// Names of element types in a .safetensors header.
#pragma once

#include <optional>
#include <string_view>

#include "ingot/dtype.h"

namespace ingot::safetensors {

std::optional<DType> parse_type(std::string_view name);

// Empty when .safetensors has no such type.
std::string_view type_name(DType dtype);

// Place in the order in which the reference library sorts tensors when it writes a file; types of
// larger alignment rank higher. REQUIRES: the dtype has a name.
int type_rank(DType dtype);

}  // namespace ingot::safetensors
