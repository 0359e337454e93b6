// The header of a .safetensors file, written as the reference library writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/dtype.h"
#include "ingot/status.h"

#include "tools/safetensors/header.h"

namespace ingot::safetensors {

// A tensor that will be written; `begin` and `end` of its data are placed by place().
// Tensors are written in one of two orders: as they come, when that leaves each of them aligned to
// its element size, else in the reference library's: larger types first, then by name. So files of
// that library, of any version, keep their order.
void order_for_alignment(std::vector<Tensor>& tensors);

// Gives every tensor its place, one after another. REQUIRES: sizes fit in 63 bits.
void place(std::vector<Tensor>& tensors);

// Length, JSON text, spaces up to a multiple of 8: everything that precedes the data. kUnsupported
// when it would be larger than readers accept.
Result<std::string> encode_header(std::span<const Tensor> tensors,
                                  const std::optional<Metadata>& metadata, std::string_view path);

}  // namespace ingot::safetensors
