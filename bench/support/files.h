// Input files, made once and kept in the cache folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "bench/support/shapes.h"

namespace ingot::bench {

// The bytes of one tensor of every input file, in parts, in order.
using TakePart = std::function<void(std::uint64_t offset, std::span<const std::byte> part)>;
void each_part(const Shape& shape, std::size_t tensor, const TakePart& take);

// Path of an Ingot file with this shape, by the writer of this program; written, on stable storage,
// the first time, when those of this shape by other writers are removed.
std::string ingot_file(const Shape& shape);

// Path of a file in the cache folder's output part; whatever is there is removed.
std::string output_file(std::string_view name);

// Makes the folder and says where it is.
std::string cache_folder();

}  // namespace ingot::bench
