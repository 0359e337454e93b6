// What a TrainingState holds: names, and how to reach the objects when a save or a load runs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ingot/libtorch.h"

namespace ingot::libtorch {

// A tensor of a module, under its name within the module.
struct MemberTensor {
  std::string name;
  torch::Tensor tensor;
  Role role = Role::kParameter;
};

struct Parts {
  struct Module {
    std::string name;
    bool naming_only = false;
    std::function<std::vector<MemberTensor>()> tensors;  // as they are now
    std::string prefix() const { return name.empty() ? std::string() : name + "."; }
  };
  struct Tensor {
    std::string name;
    torch::Tensor* tensor = nullptr;
  };
  struct Optimizer {
    std::string name;
    torch::optim::Optimizer* optimizer = nullptr;
    std::string of;
  };
  // A value, or a scheduler's counters. load() says null when the file holds something else, or
  // what is to be done once all else is known to fit.
  struct Value {
    std::string name;
    std::function<StateValue()> save;
    std::function<std::function<void()>(const StateView&)> load;
  };
  struct Attachment {
    std::string name;
    std::string media_type;
    std::shared_ptr<const std::string> content;
  };

  std::vector<Module> modules;
  std::vector<Tensor> tensors;
  std::vector<Optimizer> optimizers;
  std::vector<Value> schedulers;
  std::vector<Value> values;
  std::vector<Attachment> attachments;
  bool rng = false;
};

}  // namespace ingot::libtorch
