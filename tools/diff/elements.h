// Elements as numbers, whatever their type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ingot/dtype.h"

#include "base/bytes.h"

namespace ingot::tools {

// Holds every element of every numeric dtype exactly on x86 (a 64-bit significand), and all but the
// largest 64-bit integers wherever long double is a double.
using Number = long double;

// Numbers per element: 2 for complex types, 0 for types that are bits and no numbers, else 1.
// Quantised types count as their integers.
int components(DType dtype);

// Decodes elements [first, first + numbers.size() / components) of a packed run.
// REQUIRES: components(dtype) > 0; the run has them.
void decode(DType dtype, Bytes run, std::uint64_t first, std::span<Number> numbers);

// Whether element i of the two runs differs in any bit.
bool element_differs(DType dtype, Bytes a, Bytes b, std::uint64_t i);

}  // namespace ingot::tools
