// Names that share an XXH3-64: proof that a run of equal hashes is not just a thought.
#pragma once

#include <string>
#include <vector>

namespace ingot::golden {

// `count` (at most 16) different names of 256 ASCII characters with one XXH3-64.
//
// For inputs over 240 bytes XXH3 cuts the input into stripes of eight 64-bit lanes. A lane adds
// to two of eight accumulators: its value to one, the product of the two halves of (value ^ secret)
// to the other. Two lanes of the same column, in different stripes, add to the same two. Where both
// have the same low half after the XOR, bits of the high halves may be traded between them: neither
// the sum of the values nor the sum of the products changes.
std::vector<std::string> colliding_names(int count);

}  // namespace ingot::golden
