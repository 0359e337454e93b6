// An optimizer's part in a load, once it is matched.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "libtorch/match_optimizer.h"
#include "libtorch/read.h"

namespace ingot::libtorch {

// Options and state are read aside and given to the optimizer at the end; moments that it has
// already are filled where they are. The calls come in the order in which they stand here. What is
// given to the constructor must outlive it.
class OptimizerLoad {
 public:
  OptimizerLoad(const Checkpoint& checkpoint, TensorReader& reader, OptimizerMatch match,
                OptimizerReport* report);

  // Everything but the bytes of moments: Error with kRejected for what LibTorch cannot hold.
  // Nothing has changed yet.
  void prepare();
  // The tensors that its state is made of.
  template <typename Visit>
  void for_each_stored(Visit&& visit) const {
    for (const OptimizerMatch::Member& member : match_.members) {
      if (member.state) for_each_tensor(checkpoint_, *member.state, visit);
    }
  }
  // Moments are there after TensorReader::finish(). Returns the bytes.
  std::uint64_t read_states();
  // Does not fail.
  void apply();

 private:
  using Member = OptimizerMatch::Member;
  struct NewState {
    void* param;
    ParamState state;  // null: it has none
  };

  void read_options(const OptimizerMatch::Group& group);
  void check_states() const;
  void read_state(const Member& member);
  void keep_state(const Member& member);
  std::vector<Member> kept_members() const;
  torch::optim::OptimizerParamState* state_of(const torch::Tensor& param) const;
  void complete(const Member& member, torch::optim::OptimizerParamState& state,
                const torch::Tensor& param, std::vector<std::string>* started) const;
  torch::Tensor look_at(const StateView& view) const;
  torch::Tensor fetch_number(const TensorInfo& info, const torch::Tensor& now,
                             torch::Device device) const;
  torch::Tensor fetch(const StateView& view, const torch::Tensor& now, torch::Device device);
  TensorInfo tensor_of(const StateView& view) const;

  const Checkpoint& checkpoint_;
  TensorReader& reader_;
  OptimizerMatch match_;
  torch::optim::Optimizer& optimizer_;
  OptimizerReport& report_;
  std::uint64_t bytes_ = 0;
  std::vector<NewState> states_;
  // By number of the group.
  std::unordered_map<std::size_t, std::unique_ptr<torch::optim::OptimizerOptions>> options_;
};

}  // namespace ingot::libtorch
