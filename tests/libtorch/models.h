// Small modules and every kind of optimizer, for the adapter's tests.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ingot/libtorch.h"

namespace ingot::libtorch::testing {

// Linear, BatchNorm (buffers, one of them 0-d), dropout (so that random numbers matter), a tied
// output layer.
struct NetImpl : torch::nn::Module {
  explicit NetImpl(std::int64_t width = 6);
  torch::Tensor forward(torch::Tensor x);

  torch::nn::Linear in{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
  torch::nn::Dropout dropout{nullptr};
  torch::nn::Linear out{nullptr};
  torch::Tensor scale;  // a parameter of its own, 0-d
};
TORCH_MODULE(Net);

// A way to make an optimizer for a Net: class, groups and options.
struct OptimizerCase {
  std::string name;
  std::function<std::unique_ptr<torch::optim::Optimizer>(Net&)> make;
  bool late = false;  // it makes its first step after the save
};
const std::vector<OptimizerCase>& optimizer_cases();

// One training step on seeded random data of this step; the loss.
double train_step(Net& net, torch::optim::Optimizer& optimizer, std::int64_t step);

// Parameters by kind: weights of matrices, and all others.
std::vector<torch::Tensor> matrices(Net& net);
std::vector<torch::Tensor> vectors(Net& net);

}  // namespace ingot::libtorch::testing
