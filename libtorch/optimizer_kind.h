// One interface over LibTorch's optimizer classes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libtorch/complete_state.h"
#include "libtorch/parts.h"

namespace ingot::libtorch {

// Stores a tensor under "<entry>" or "<entry>/<position>" and returns what refers to it.
using StoreTensor = std::function<StateValue(const std::string& entry, const torch::Tensor&)>;

// Gives the tensor that a value refers to. `current`, which may be undefined, is what the field
// holds now and may be filled in place.
using FetchTensor =
    std::function<torch::Tensor(const StateView& view, const torch::Tensor& current)>;

using ParamState = std::unique_ptr<torch::optim::OptimizerParamState>;

class OptimizerKind {
 public:
  virtual ~OptimizerKind() = default;
  virtual std::string_view class_name() const = 0;
  // Whether its state, kept with the first parameter, is about all parameters in their order.
  virtual bool is_joint() const { return false; }
  // Whether it cannot go without state: the constructor makes it.
  virtual bool has_initial_state() const { return false; }

  virtual StateValue save_options(const torch::optim::OptimizerOptions& options) const = 0;
  virtual StateValue save_state(torch::optim::OptimizerParamState& state,
                                const StoreTensor& store) const = 0;

  // Options with the file's values where it has them. `ignored` gets names of what LibTorch lacks.
  // Error with kRejected when a value is of another type.
  virtual std::unique_ptr<torch::optim::OptimizerOptions> load_options(
      const torch::optim::OptimizerOptions& current, const StateView& group,
      std::vector<std::string>* ignored) const = 0;
  // State as the file has it. `current` may be null.
  virtual ParamState load_state(const torch::optim::OptimizerParamState* current,
                                const StateView& entries, const FetchTensor& fetch,
                                std::vector<std::string>* ignored) const = 0;
  // libtorch/complete_state.h.
  virtual void complete_state(torch::optim::OptimizerParamState& state,
                              const torch::optim::OptimizerOptions& options,
                              const StateOwner& owner, std::vector<std::string>* started) const = 0;
};

// Error with kUnsupported for classes that are not LibTorch's own.
const OptimizerKind& kind_of(const torch::optim::Optimizer& optimizer);

}  // namespace ingot::libtorch
