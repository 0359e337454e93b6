#include "bench/training/training_run.h"

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "bench/support/memory_read.h"

namespace ingot::bench {
namespace {

using torch::optim::AdamOptions;
using torch::optim::AdamParamState;

torch::nn::Sequential model_of(std::uint64_t mib) {
  torch::nn::Sequential model;
  for (std::uint64_t i = 0; i < layers_in(mib); ++i) {
    model->push_back(torch::nn::Linear(torch::nn::LinearOptions(kSide, kSide).bias(false)));
  }
  return model;
}

std::uint64_t words_of(const torch::Tensor& tensor) {
  const torch::Tensor packed = tensor.contiguous();
  return sum_words({static_cast<const std::byte*>(packed.data_ptr()), packed.nbytes()});
}

}  // namespace

TrainingRun::TrainingRun(std::uint64_t mib)
    : model_(model_of(mib)), adam_(model_->parameters(), AdamOptions(1e-3)) {}

void TrainingRun::make_moments() {
  const torch::NoGradGuard no_grad;
  for (const torch::Tensor& parameter : model_->parameters()) {
    auto state = std::make_unique<AdamParamState>();
    state->step(10);
    state->exp_avg(torch::rand_like(parameter));
    state->exp_avg_sq(torch::rand_like(parameter));
    adam_.state()[parameter.unsafeGetTensorImpl()] = std::move(state);
  }
}

void TrainingRun::zero_parameters() {
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : model_->parameters()) parameter.zero_();
}

libtorch::TrainingState TrainingRun::state() {
  return libtorch::TrainingState().module("model", *model_).optimizer("adam", adam_);
}

std::string TrainingRun::total() {
  std::uint64_t total = 0;
  std::uint64_t place = 0;
  const auto take = [&](std::uint64_t sum) { total += (2 * place++ + 1) * sum; };
  for (const torch::Tensor& parameter : model_->parameters()) take(words_of(parameter));
  for (const torch::Tensor& parameter : model_->parameters()) {
    const auto found = adam_.state().find(parameter.unsafeGetTensorImpl());
    if (found == adam_.state().end()) continue;
    auto& state = static_cast<AdamParamState&>(*found->second);
    take(static_cast<std::uint64_t>(state.step()));
    take(words_of(state.exp_avg()));
    take(words_of(state.exp_avg_sq()));
  }
  return std::to_string(total);
}

}  // namespace ingot::bench
