// The tensors of a module by name, in the order of PyTorch's state_dict().
#pragma once

#include <vector>

#include "libtorch/parts.h"

namespace ingot::libtorch {

std::vector<MemberTensor> members_of(const torch::nn::Module& module);
std::vector<MemberTensor> members_of(const torch::jit::Module& module);

}  // namespace ingot::libtorch
