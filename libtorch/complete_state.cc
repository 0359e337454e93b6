#include "libtorch/complete_state.h"

#include "libtorch/error.h"
#include "libtorch/layout.h"
#include "libtorch/match_tensors.h"

namespace ingot::libtorch {

using torch::Tensor;

namespace {

using Started = std::vector<std::string>;

[[noreturn]] void malformed(const StateOwner& owner, const std::string& what) {
  raise(Code::kRejected, owner.name + ": the state of its optimizer has " + what);
}

void require(const Tensor& tensor, const char* entry, const StateOwner& owner) {
  if (!tensor.defined()) malformed(owner, std::string("no \"") + entry + "\"");
}

void start_if_absent(Tensor& tensor, const char* entry, const StateOwner& owner, Started* started) {
  if (tensor.defined()) return;
  tensor = torch::zeros_like(owner.param, torch::MemoryFormat::Preserve);
  started->push_back(owner.name + ": " + entry);
}

template <typename State, typename Options>
void complete_adam(State& state, Options& options, const StateOwner& owner, Started* started) {
  const torch::NoGradGuard no_grad;
  require(state.exp_avg(), "exp_avg", owner);
  require(state.exp_avg_sq(), "exp_avg_sq", owner);
  if (options.amsgrad()) {
    start_if_absent(state.max_exp_avg_sq(), "max_exp_avg_sq", owner, started);
  }
}

std::string item(const char* list, std::size_t position) {
  return std::string(list).append("/").append(std::to_string(position));
}

// LBFGS lays all parameters of its one group end to end.
class LbfgsCheck {
 public:
  explicit LbfgsCheck(const StateOwner& owner) : owner_(owner) {
    if (owner.group->empty()) malformed(owner, "no parameters");
    type_ = owner.group->front().scalar_type();
    for (const Tensor& param : *owner.group) {
      elements_ += param.numel();
      type_ = torch::promote_types(type_, param.scalar_type());
    }
  }

  void flat(const Tensor& tensor, const std::string& entry) const {
    require(tensor, entry.c_str(), owner_);
    if (tensor.dim() == 1 && tensor.numel() == elements_ && tensor.scalar_type() == type_) return;
    malformed(owner_, "\"" + entry + "\" of shape " + shape_text(tensor.sizes()) + ", " +
                          dtype_text(tensor.scalar_type()) + "; its parameters together are [" +
                          std::to_string(elements_) + "], " + dtype_text(type_));
  }

  void number(const Tensor& tensor, const std::string& entry) const {
    require(tensor, entry.c_str(), owner_);
    if (tensor.numel() != 1) {
      malformed(owner_, "\"" + entry + "\" of shape " + shape_text(tensor.sizes()) +
                            ", which must be one number");
    }
  }

 private:
  const StateOwner& owner_;
  std::int64_t elements_ = 0;
  torch::ScalarType type_ = torch::kFloat;
};

}  // namespace

void complete(torch::optim::SGDParamState& state, torch::optim::SGDOptions& /*options*/,
              const StateOwner& owner, Started* /*started*/) {
  // One without a buffer begins anew, as the first step makes it: a state that has nothing is none.
  require(state.momentum_buffer(), "momentum_buffer", owner);
}

void complete(torch::optim::AdamParamState& state, torch::optim::AdamOptions& options,
              const StateOwner& owner, Started* started) {
  complete_adam(state, options, owner, started);
}

void complete(torch::optim::AdamWParamState& state, torch::optim::AdamWOptions& options,
              const StateOwner& owner, Started* started) {
  complete_adam(state, options, owner, started);
}

void complete(torch::optim::RMSpropParamState& state, torch::optim::RMSpropOptions& options,
              const StateOwner& owner, Started* started) {
  const torch::NoGradGuard no_grad;
  require(state.square_avg(), "square_avg", owner);
  if (options.centered()) start_if_absent(state.grad_avg(), "grad_avg", owner, started);
  if (options.momentum() > 0) {
    start_if_absent(state.momentum_buffer(), "momentum_buffer", owner, started);
  }
}

void complete(torch::optim::AdagradParamState& state, torch::optim::AdagradOptions& /*options*/,
              const StateOwner& owner, Started* /*started*/) {
  require(state.sum(), "sum", owner);
}

void complete(torch::optim::LBFGSParamState& state, torch::optim::LBFGSOptions& options,
              const StateOwner& owner, Started* /*started*/) {
  if (state.n_iter() < 0) malformed(owner, "a negative \"n_iter\"");
  if (state.n_iter() == 0) return;  // the first iteration makes all of it
  const LbfgsCheck check(owner);
  check.flat(state.d(), "d");
  check.flat(state.prev_flat_grad(), "prev_flat_grad");
  check.number(state.H_diag(), "H_diag");
  auto& dirs = state.old_dirs();
  auto& steps = state.old_stps();
  auto& ro = state.ro();
  if (dirs.size() != steps.size() || dirs.size() != ro.size()) {
    malformed(owner, "lists of different lengths: \"old_dirs\" " + std::to_string(dirs.size()) +
                         ", \"old_stps\" " + std::to_string(steps.size()) + ", \"ro\" " +
                         std::to_string(ro.size()));
  }
  for (std::size_t i = 0; i < dirs.size(); ++i) {
    check.flat(dirs[i], item("old_dirs", i));
    check.flat(steps[i], item("old_stps", i));
    check.number(ro[i], item("ro", i));
  }
  if (options.history_size() < 1) malformed(owner, "a history, and its options allow none");
  const auto history = static_cast<std::size_t>(options.history_size());
  while (dirs.size() > history) {  // the oldest are first, as step() drops them
    dirs.pop_front();
    steps.pop_front();
    ro.pop_front();
  }
  // Room for one number an entry of the history: step() makes it when it is not there, and never
  // reads what a former step left in it.
  if (state.al() && state.al()->size() != history) state.al(std::nullopt);
}

}  // namespace ingot::libtorch
