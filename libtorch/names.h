// Which name a live tensor has: optimizers know their parameters by identity only.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "libtorch/parts.h"

namespace ingot::libtorch {

// The tensors of all modules and of the state itself, by full name, as they are now.
struct LiveTensor {
  std::string name;
  torch::Tensor tensor;
  Role role = Role::kOther;
  bool naming_only = false;
  const Parts::Module* module = nullptr;  // null for a tensor of the state
  torch::Tensor* slot = nullptr;          // of a tensor of the state
};
std::vector<LiveTensor> live_tensors(const Parts& parts);

class Names {
 public:
  explicit Names(const std::vector<LiveTensor>& tensors);

  // All names of a tensor, in order of registration (a tied one has several); only those in module
  // `of` unless that is empty. Empty when it has none.
  std::vector<std::string> of(const torch::Tensor& tensor, const std::string& of) const;

 private:
  struct Name {
    std::string name;
    std::string module;
  };
  std::unordered_map<const void*, std::vector<Name>> names_;
};

}  // namespace ingot::libtorch
