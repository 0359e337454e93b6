// Proving tensors before anything is done with them.
#pragma once

#include <string>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/libtorch.h"

namespace ingot::libtorch {

// Whether what is asked for is proven before any of it is used. A view is not read on the way: it
// is proven before, or not at all.
inline bool proves_before(Proof proof, bool makes_views) {
  return proof == Proof::kBefore || (makes_views && proof != Proof::kNone);
}

// Error with the first damage when any byte of these tensors is not what was written.
void prove_tensors(const Checkpoint& checkpoint, std::vector<std::string> names, int threads);

}  // namespace ingot::libtorch
