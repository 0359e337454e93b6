// States of the default random number generators.
#pragma once

#include <functional>

#include "ingot/checkpoint.h"

#include "libtorch/draft.h"

namespace ingot::libtorch {

// Of the CPU, and of every CUDA device where there are any.
StateValue save_rng(Draft& draft);

// The tensors that `rng` refers to, by generator; Error with kRejected unless it has the form of
// docs/format.md. Generators that are not here are left out.
struct RngState {
  at::Generator generator;
  TensorInfo state;
};
std::vector<RngState> find_rng(const Checkpoint& checkpoint, const StateView& rng);

// What sets the generator to a state that was read for it. Error with kRejected when it does not
// take it: here, nothing has changed yet.
std::function<void()> setting(const at::Generator& generator, const torch::Tensor& state);

}  // namespace ingot::libtorch
