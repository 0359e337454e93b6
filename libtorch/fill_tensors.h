// Reading the tensors that a load has matched: each in its own place, tied ones once.
#pragma once

#include <cstdint>
#include <vector>

#include "libtorch/match_tensors.h"
#include "libtorch/read.h"

namespace ingot::libtorch {

// Throws Error with kUnsupported when LibTorch cannot give a tensor memory of the device that it is
// to move to. Changes nothing.
void check_moves(const std::vector<TensorMatch>& matches, const LoadOptions& options);

// The bytes are there after TensorReader::finish(). Returns how many they are.
std::uint64_t fill_tensors(TensorReader& reader, std::vector<TensorMatch>& matches,
                           const LoadOptions& options);

}  // namespace ingot::libtorch
