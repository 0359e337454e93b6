// What a stored state must have before LibTorch's step() uses it: step() takes it unseen.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

namespace ingot::libtorch {

// Whose state it is. Only shapes, types and devices are looked at: meta tensors will do.
struct StateOwner {
  std::string name;
  torch::Tensor param;
  const std::vector<torch::Tensor>* group;  // all parameters of its group
};

// Entries that an option asks for and that are not there (amsgrad, centered, momentum switched on
// since the save) become zeros, as step() makes them for a new state; `started` gets
// "<name>: <entry>". Error with kRejected when anything else lacks or does not fit together.
void complete(torch::optim::SGDParamState& state, torch::optim::SGDOptions& options,
              const StateOwner& owner, std::vector<std::string>* started);
void complete(torch::optim::AdamParamState& state, torch::optim::AdamOptions& options,
              const StateOwner& owner, std::vector<std::string>* started);
void complete(torch::optim::AdamWParamState& state, torch::optim::AdamWOptions& options,
              const StateOwner& owner, std::vector<std::string>* started);
void complete(torch::optim::RMSpropParamState& state, torch::optim::RMSpropOptions& options,
              const StateOwner& owner, std::vector<std::string>* started);
void complete(torch::optim::AdagradParamState& state, torch::optim::AdagradOptions& options,
              const StateOwner& owner, std::vector<std::string>* started);
// Also shortens the history to what the options allow.
void complete(torch::optim::LBFGSParamState& state, torch::optim::LBFGSOptions& options,
              const StateOwner& owner, std::vector<std::string>* started);

}  // namespace ingot::libtorch
