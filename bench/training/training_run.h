// What is saved and resumed: a model and its Adam state, and what proves that they came back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "ingot/libtorch.h"

namespace ingot::bench {

inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
inline constexpr std::int64_t kSide = 1024;  // of a layer: 4 MiB, so 12 MiB with its two moments

inline std::uint64_t layers_in(std::uint64_t mib) { return std::max<std::uint64_t>(mib / 12, 1); }
inline std::uint64_t bytes_in(std::uint64_t mib) { return layers_in(mib) * 12 * kMiB; }

class TrainingRun {
 public:
  // MiB of parameters and moments together, in whole layers, one at least. No moments yet.
  explicit TrainingRun(std::uint64_t mib);

  void make_moments();     // what a training step would leave behind
  void zero_parameters();  // so that a resume that brings nothing is noticed

  torch::nn::Sequential& model() { return model_; }
  torch::optim::Adam& adam() { return adam_; }
  libtorch::TrainingState state();

  // One number of all parameters, steps and moments, in their order: equal for equal bytes.
  std::string total();

 private:
  torch::nn::Sequential model_;
  torch::optim::Adam adam_;
};

}  // namespace ingot::bench
