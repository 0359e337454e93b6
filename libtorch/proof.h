// Proving tensors before anything is done with them.
#pragma once

#include <string>
#include <vector>

#include "ingot/checkpoint.h"

namespace ingot::libtorch {

// Error with the first damage when any byte of these tensors is not what was written.
void prove_tensors(const Checkpoint& checkpoint, std::vector<std::string> names, int threads);

}  // namespace ingot::libtorch
