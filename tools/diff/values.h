// How much the values of two tensors differ, from their bytes, part by part.
#pragma once

#include <cstdint>

#include "ingot/dtype.h"

#include "base/bytes.h"
#include "tools/diff/elements.h"

namespace ingot::tools {

// NaN: an element that is NaN on one side only, or NaN on both with different bits, is among
// `differing` and `nan`, and takes no part in `max_abs`. Infinities do: inf against a finite number
// is an infinite difference, equal infinities none.
struct ValueDiff {
  std::uint64_t elements = 0;   // compared
  std::uint64_t differing = 0;  // of the same dtype: in any bit; of different ones: in value
  std::uint64_t nan = 0;
  Number max_abs = 0;        // |a - b|, of complex numbers the modulus
  std::uint64_t max_at = 0;  // element where it was first seen
  bool has_max = false;      // whether any differing element had a difference
};

// Adds parts in order. Both runs hold the same number of whole elements.
class ValueComparer {
 public:
  ValueComparer(DType a, DType b) : a_(a), b_(b) {}

  // `elements` more that are known to be equal.
  void skip(std::uint64_t elements) { diff_.elements += elements; }
  void add(Bytes a, Bytes b, std::uint64_t elements);
  const ValueDiff& result() const { return diff_; }

 private:
  void add_block(Bytes a, Bytes b, std::uint64_t first, std::uint64_t count, std::uint64_t base);

  DType a_;
  DType b_;
  ValueDiff diff_;
};

}  // namespace ingot::tools
