#include "libtorch/load_optimizer.h"

#include <algorithm>
#include <unordered_set>

#include "libtorch/error.h"
#include "libtorch/report.h"

namespace ingot::libtorch {

using torch::Tensor;

namespace {

Tensor without_memory(const Tensor& tensor) {
  return torch::empty_like(tensor, torch::TensorOptions().device(torch::kMeta));
}

}  // namespace

OptimizerLoad::OptimizerLoad(const Checkpoint& checkpoint, TensorReader& reader,
                             OptimizerMatch match, OptimizerReport* report)
    : checkpoint_(checkpoint),
      reader_(reader),
      match_(std::move(match)),
      optimizer_(*match_.part->optimizer),
      report_(*report) {}

void OptimizerLoad::prepare() {
  for (const OptimizerMatch::Group& group : match_.groups) read_options(group);
  check_states();
}

void OptimizerLoad::read_options(const OptimizerMatch::Group& group) {
  const auto& live = optimizer_.param_groups()[group.index].options();
  auto options = match_.kind->load_options(live, group.options, &report_.ignored);
  note_changes(match_.kind->save_options(live), match_.kind->save_options(*options),
               "group " + std::to_string(group.index), &report_.options);
  options_[group.index] = std::move(options);
}

// On meta tensors, so that what does not fit is known before anything has changed.
void OptimizerLoad::check_states() const {
  const FetchTensor look = [&](const StateView& view, const Tensor&) { return look_at(view); };
  std::vector<std::string> unused;
  for (const Member& member : match_.members) {
    if (!member.state) continue;
    const ParamState state = match_.kind->load_state(nullptr, *member.state, look, &unused);
    complete(member, *state, without_memory(member.param), &unused);
  }
  for (const Member& member : kept_members()) {
    const ParamState state = state_of(member.param)->clone();
    complete(member, *state, without_memory(member.param), &unused);
  }
}

std::uint64_t OptimizerLoad::read_states() {
  for (const Member& member : match_.members) read_state(member);
  for (const Member& member : kept_members()) keep_state(member);
  return bytes_;
}

void OptimizerLoad::read_state(const Member& member) {
  void* key = member.param.unsafeGetTensorImpl();
  if (!member.state) {
    if (!match_.kind->has_initial_state()) states_.push_back({key, nullptr});
    return;
  }
  const FetchTensor fetch = [&](const StateView& view, const Tensor& now) {
    return this->fetch(view, now, member.param.device());
  };
  ParamState state =
      match_.kind->load_state(state_of(member.param), *member.state, fetch, &report_.ignored);
  complete(member, *state, member.param, &report_.started);
  states_.push_back({key, std::move(state)});
}

void OptimizerLoad::keep_state(const Member& member) {
  ParamState state = state_of(member.param)->clone();
  complete(member, *state, member.param, &report_.started);
  states_.push_back({member.param.unsafeGetTensorImpl(), std::move(state)});
}

void OptimizerLoad::apply() {
  for (NewState& state : states_) {
    if (state.state != nullptr) {
      optimizer_.state()[state.param] = std::move(state.state);
    } else {
      optimizer_.state().erase(state.param);
    }
  }
  for (auto& [group, options] : options_) {
    optimizer_.param_groups()[group].set_options(std::move(options));
  }
}

// Parameters that keep a state of their own in a group that gets the file's options.
std::vector<OptimizerLoad::Member> OptimizerLoad::kept_members() const {
  std::unordered_set<const void*> matched;
  for (const Member& member : match_.members) matched.insert(member.param.unsafeGetTensorImpl());
  std::vector<Member> kept;
  for (const OptimizerMatch::Group& group : match_.groups) {
    const auto& params = optimizer_.param_groups()[group.index].params();
    for (std::size_t i = 0; i < params.size(); ++i) {
      if (matched.contains(params[i].unsafeGetTensorImpl())) continue;
      if (state_of(params[i]) == nullptr) continue;
      std::string name =
          "parameter " + std::to_string(i) + " of group " + std::to_string(group.index);
      kept.push_back({std::move(name), group.index, params[i], std::nullopt});
    }
  }
  return kept;
}

torch::optim::OptimizerParamState* OptimizerLoad::state_of(const Tensor& param) const {
  const auto& states = optimizer_.state();
  const auto found = states.find(param.unsafeGetTensorImpl());
  return found == states.end() ? nullptr : found->second.get();
}

// `param` is the member's, or says what that is like.
void OptimizerLoad::complete(const Member& member, torch::optim::OptimizerParamState& state,
                             const Tensor& param, std::vector<std::string>* started) const {
  const auto& group = optimizer_.param_groups()[member.group];
  if (match_.kind->is_joint() && !member.param.is_same(group.params().front())) {
    raise(Code::kRejected, member.name + ": state of all parameters is kept with the first one");
  }
  const auto loaded = options_.find(member.group);
  const auto& options = loaded == options_.end() ? group.options() : *loaded->second;
  match_.kind->complete_state(state, options, {member.name, param, &group.params()}, started);
}

// A stored tensor without its bytes; one number with it, for it may be a counter.
Tensor OptimizerLoad::look_at(const StateView& view) const {
  const TensorInfo info = tensor_of(view);
  reader_.check_readable(info);
  if (is_quantized(info.dtype)) {
    raise(Code::kRejected, "a state entry of an optimizer is quantised");
  }
  if (info.numel() == 1) return reader_.read_now(info);
  return torch::empty(std::vector<std::int64_t>(info.shape.begin(), info.shape.end()),
                      torch::TensorOptions(*to_scalar_type(info.dtype)).device(torch::kMeta));
}

// At once: it may be a counter, which is looked at.
Tensor OptimizerLoad::fetch_number(const TensorInfo& info, const Tensor& now,
                                   torch::Device device) const {
  const Tensor number = reader_.read_now(info);
  return now.defined() ? now.copy_(number) : number.to(device);
}

Tensor OptimizerLoad::fetch(const StateView& view, const Tensor& now, torch::Device device) {
  const TensorInfo info = tensor_of(view);
  bytes_ += info.bytes;
  const bool fits =
      now.defined() && now.device() == device && now.scalar_type() == to_scalar_type(info.dtype) &&
      std::equal(now.sizes().begin(), now.sizes().end(), info.shape.begin(), info.shape.end());
  if (info.numel() == 1) return fetch_number(info, fits ? now : Tensor(), device);
  if (!fits) return reader_.read(info, device);
  reader_.read_into(info, now);
  return now;
}

TensorInfo OptimizerLoad::tensor_of(const StateView& view) const {
  if (view.kind() == StateKind::kTensor) return checkpoint_.info(view.as_tensor());
  raise(Code::kRejected, "a state entry of an optimizer is not a tensor but " +
                             std::string(state_kind_name(view.kind())));
}

}  // namespace ingot::libtorch
