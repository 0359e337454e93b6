// load(): everything is matched first, which changes nothing; then proven; then read; and what
// cannot fail is done last.
#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "ingot/verify.h"

#include "libtorch/error.h"
#include "libtorch/match_optimizer.h"
#include "libtorch/match_tensors.h"
#include "libtorch/names.h"
#include "libtorch/proof.h"
#include "libtorch/read.h"
#include "libtorch/report.h"
#include "libtorch/rng.h"

namespace ingot::libtorch {

using torch::Tensor;

namespace {

class Load {
 public:
  Load(const Checkpoint& checkpoint, const Parts& parts, const LoadOptions& options)
      : checkpoint_(checkpoint),
        parts_(parts),
        options_(options),
        live_(live_tensors(parts)),
        reader_(checkpoint,
                {options.proof, options.devices, options.staging_bytes, options.threads}) {
    report_.path = checkpoint.file().path;
  }

  LoadReport run() {
    match();
    if (options_.strict && !report_.exact()) throw MismatchError(std::move(report_));
    read_options();
    check_members();
    if (options_.proof == Proof::kBefore ||
        (options_.proof != Proof::kNone && options_.placement == Placement::kAssign)) {
      prove();
    }
    read_rng();
    read_tensors();
    read_members();
    reader_.finish();
    finish();
    return std::move(report_);
  }

 private:
  struct NewState {
    torch::optim::Optimizer* optimizer;
    void* param;
    ParamState state;  // null: it has none
  };

  void match() {
    if (options_.device && options_.device->is_meta()) {
      raise(Code::kInvalidArgument, "the meta device has no memory to load into");
    }
    const StoredNames stored_names(checkpoint_, parts_, options_.renames);
    const StoredTensors stored(checkpoint_, stored_names);
    tensors_ = match_tensors(stored, live_, parts_, options_, &report_);
    optimizers_ =
        match_optimizers(checkpoint_, parts_, Names(live_), stored_names, options_, &report_);
    match_values(parts_.schedulers, "schedulers", "scheduler");
    match_values(parts_.values, "values", "value");
    match_rng();
  }

  void match_values(const std::vector<Parts::Value>& values, const char* key, const char* kind) {
    for (const Parts::Value& value : values) {
      const auto stored = find_part(checkpoint_, key, value.name);
      if (!stored) {
        report_.absent.push_back(std::string(kind) + " " + value.name);
        continue;
      }
      std::function<void()> apply = value.load(*stored);
      if (apply) {
        last_.push_back(std::move(apply));
      } else {
        report_.values.push_back({std::string(kind) + " " + value.name, "what this program has",
                                  std::string(state_kind_name(stored->kind()))});
      }
    }
  }

  void match_rng() {
    if (!parts_.rng) return;
    const auto root = checkpoint_.state();
    const auto rng = root && root->kind() == StateKind::kDict ? root->find("rng") : std::nullopt;
    if (rng) {
      rng_ = find_rng(checkpoint_, *rng);
    } else {
      report_.absent.emplace_back("rng");
    }
  }

  void prove() {
    std::vector<std::string> names;
    const auto add = [&](const TensorInfo& info) { names.emplace_back(info.name); };
    for (const TensorMatch& match : tensors_) add(match.info);
    for (const OptimizerMatch& match : optimizers_) {
      for (const OptimizerMatch::Member& member : match.members) {
        if (member.state) for_each_tensor(checkpoint_, *member.state, add);
      }
    }
    for (const RngState& state : rng_) add(state.state);
    prove_tensors(checkpoint_, std::move(names), options_.threads);
  }

  void read_tensors() {
    const torch::NoGradGuard no_grad;
    if (options_.placement == Placement::kSlab) make_slabs();
    std::unordered_set<const void*> seen;  // a tied tensor is read once
    for (TensorMatch& match : tensors_) {
      report_.bytes += match.info.bytes;
      const Tensor& live = match.live.tensor;
      if (live.defined() && !seen.insert(live.unsafeGetTensorImpl()).second) continue;
      if (!replace(match)) reader_.read_into(match.info, live);
    }
    if (!options_.restore_requires_grad) return;
    for (TensorMatch& match : tensors_) {
      if (match.live.tensor.is_floating_point() || match.live.tensor.is_complex()) {
        match.live.tensor.set_requires_grad(match.info.requires_grad);
      }
    }
  }

  // One a device.
  void make_slabs() {
    std::map<std::string, std::vector<TensorInfo>> by_device;
    for (const TensorMatch& match : tensors_) {
      if (!match.live.tensor.is_quantized())
        by_device[device_of(match).str()].push_back(match.info);
    }
    for (const auto& [device, tensors] : by_device)
      reader_.make_slab(tensors, torch::Device(device));
  }

  torch::Device device_of(const TensorMatch& match) const {
    const Tensor& live = match.live.tensor;
    return options_.device.value_or(live.defined() ? live.device() : torch::Device(torch::kCPU));
  }

  // Gives a tensor other memory where that is what was asked for.
  bool replace(TensorMatch& match) {
    Tensor& live = match.live.tensor;
    const torch::Device device = device_of(match);
    if (!live.defined()) {
      *match.live.slot = live = reader_.read_tied(match.info, device);
      return true;
    }
    if (live.is_quantized()) {  // its scale is not memory of the tensor
      live.set_data(reader_.read_tied(match.info, device));
      return true;
    }
    if (TensorReader::can_view(match.info)) {
      if (options_.placement == Placement::kAssign && device.is_cpu()) {
        live.set_data(reader_.view(match.info));
        return true;
      }
      if (options_.placement == Placement::kSlab) {
        live.set_data(reader_.read_tied(match.info, device));
        return true;
      }
    }
    if (device == live.device()) return false;
    live.set_data(reader_.read(match.info, device));
    return true;
  }

  OptimizerReport& report_of(const OptimizerMatch& match) {
    return *std::find_if(report_.optimizers.begin(), report_.optimizers.end(),
                         [&](const OptimizerReport& r) { return r.name == match.part->name; });
  }

  // Everything of the stored state but its bytes: what LibTorch cannot hold throws here, before
  // anything has changed.
  void check_members() {
    const FetchTensor look = [&](const StateView& view, const Tensor&) { return look_at(view); };
    std::vector<std::string> ignored;
    for (const OptimizerMatch& match : optimizers_) {
      for (const OptimizerMatch::Member& member : match.members) {
        if (!member.state) continue;
        const ParamState state = match.kind->load_state(nullptr, *member.state, look, &ignored);
        complete(match, member, *state, without_memory(member.param), &ignored);
      }
      for (const OptimizerMatch::Member& member : kept_members(match)) {
        const ParamState state = state_of(match, member.param)->clone();
        complete(match, member, *state, without_memory(member.param), &ignored);
      }
    }
    for (const TensorMatch& match : tensors_) reader_.check_readable(match.info);
  }

  // A stored tensor without its bytes; one number with it, for it may be a counter.
  Tensor look_at(const StateView& view) const {
    const TensorInfo info = tensor_of(view);
    reader_.check_readable(info);
    if (is_quantized(info.dtype)) {
      raise(Code::kRejected, "a state entry of an optimizer is quantised");
    }
    if (info.numel() == 1) return reader_.read_now(info);
    return torch::empty(std::vector<std::int64_t>(info.shape.begin(), info.shape.end()),
                        torch::TensorOptions(*to_scalar_type(info.dtype)).device(torch::kMeta));
  }

  static Tensor without_memory(const Tensor& tensor) {
    return torch::empty_like(tensor, torch::TensorOptions().device(torch::kMeta));
  }

  static torch::optim::OptimizerParamState* state_of(const OptimizerMatch& match,
                                                     const Tensor& param) {
    const auto& states = match.part->optimizer->state();
    const auto found = states.find(param.unsafeGetTensorImpl());
    return found == states.end() ? nullptr : found->second.get();
  }

  // Parameters that keep a state of their own in a group that gets the file's options.
  static std::vector<OptimizerMatch::Member> kept_members(const OptimizerMatch& match) {
    std::unordered_set<const void*> matched;
    for (const OptimizerMatch::Member& member : match.members) {
      matched.insert(member.param.unsafeGetTensorImpl());
    }
    std::vector<OptimizerMatch::Member> kept;
    for (const OptimizerMatch::Group& group : match.groups) {
      const auto& params = match.part->optimizer->param_groups()[group.index].params();
      for (std::size_t i = 0; i < params.size(); ++i) {
        if (matched.contains(params[i].unsafeGetTensorImpl())) continue;
        if (state_of(match, params[i]) == nullptr) continue;
        std::string name =
            "parameter " + std::to_string(i) + " of group " + std::to_string(group.index);
        kept.push_back({std::move(name), group.index, params[i], std::nullopt});
      }
    }
    return kept;
  }

  // `param` is the member's, or says what that is like.
  void complete(const OptimizerMatch& match, const OptimizerMatch::Member& member,
                torch::optim::OptimizerParamState& state, const Tensor& param,
                std::vector<std::string>* started) const {
    auto& group = match.part->optimizer->param_groups()[member.group];
    if (match.kind->is_joint() && !member.param.is_same(group.params().front())) {
      raise(Code::kRejected, member.name + ": state of all parameters is kept with the first one");
    }
    const auto loaded = options_of_groups_.find(&group);
    const auto& options = loaded == options_of_groups_.end() ? group.options() : *loaded->second;
    match.kind->complete_state(state, options, {member.name, param, &group.params()}, started);
  }

  void read_options() {
    for (const OptimizerMatch& match : optimizers_) {
      for (const OptimizerMatch::Group& group : match.groups) {
        read_options(match, group, report_of(match));
      }
    }
  }

  void read_members() {
    for (const OptimizerMatch& match : optimizers_) {
      for (const OptimizerMatch::Member& member : match.members) {
        read_member(match, member, report_of(match));
      }
      for (const OptimizerMatch::Member& member : kept_members(match)) {
        ParamState state = state_of(match, member.param)->clone();
        complete(match, member, *state, member.param, &report_of(match).started);
        states_.push_back(
            {match.part->optimizer, member.param.unsafeGetTensorImpl(), std::move(state)});
      }
    }
  }

  void read_member(const OptimizerMatch& match, const OptimizerMatch::Member& member,
                   OptimizerReport& report) {
    void* key = member.param.unsafeGetTensorImpl();
    if (!member.state) {
      if (!match.kind->has_initial_state()) {
        states_.push_back({match.part->optimizer, key, nullptr});
      }
      return;
    }
    const FetchTensor fetch = [&](const StateView& view, const Tensor& now) {
      return this->fetch(view, now, member.param.device());
    };
    ParamState state = match.kind->load_state(state_of(match, member.param), *member.state, fetch,
                                              &report.ignored);
    complete(match, member, *state, member.param, &report.started);
    states_.push_back({match.part->optimizer, key, std::move(state)});
  }

  TensorInfo tensor_of(const StateView& view) const {
    if (view.kind() == StateKind::kTensor) return checkpoint_.info(view.as_tensor());
    raise(Code::kRejected, "a state entry of an optimizer is not a tensor but " +
                               std::string(state_kind_name(view.kind())));
  }

  Tensor fetch(const StateView& view, const Tensor& now, torch::Device device) {
    const TensorInfo info = tensor_of(view);
    report_.bytes += info.bytes;
    const bool fits =
        now.defined() && now.device() == device &&
        now.scalar_type() == to_scalar_type(info.dtype) &&
        std::equal(now.sizes().begin(), now.sizes().end(), info.shape.begin(), info.shape.end());
    if (info.numel() == 1) return fetch_number(info, fits ? now : Tensor(), device);
    if (!fits) return reader_.read(info, device);
    reader_.read_into(info, now);
    return now;
  }

  // At once: it may be a counter, which is looked at.
  Tensor fetch_number(const TensorInfo& info, Tensor now, torch::Device device) const {
    const Tensor number = reader_.read_now(info);
    return now.defined() ? now.copy_(number) : number.to(device);
  }

  void read_options(const OptimizerMatch& match, const OptimizerMatch::Group& group,
                    OptimizerReport& report) {
    auto& live = match.part->optimizer->param_groups()[group.index];
    auto options = match.kind->load_options(live.options(), group.options, &report.ignored);
    note_changes(match.kind->save_options(live.options()), match.kind->save_options(*options),
                 "group " + std::to_string(group.index), &report.options);
    options_of_groups_[&live] = std::move(options);
  }

  void read_rng() {
    for (const RngState& state : rng_) {
      Tensor bytes = reader_.read_now(state.state);
      try_state(state, bytes);
      last_.push_back([generator = state.generator, bytes = std::move(bytes)]() mutable {
        const std::lock_guard<std::mutex> lock(generator.mutex());
        generator.set_state(bytes);
      });
    }
  }

  // On a copy of the generator: what it does not take must be known before anything changes.
  static void try_state(const RngState& state, const Tensor& bytes) {
    try {
      at::Generator copy = state.generator.clone();
      const std::lock_guard<std::mutex> lock(copy.mutex());
      copy.set_state(bytes);
    } catch (const c10::Error& error) {
      raise(Code::kRejected,
            std::string("the file's generator state is none: ") + error.what_without_backtrace());
    }
  }

  void finish() {
    for (NewState& state : states_) {
      if (state.state != nullptr) {
        state.optimizer->state()[state.param] = std::move(state.state);
      } else {
        state.optimizer->state().erase(state.param);
      }
    }
    for (auto& [group, options] : options_of_groups_) group->set_options(std::move(options));
    for (const std::function<void()>& apply : last_) apply();
  }

  const Checkpoint& checkpoint_;
  const Parts& parts_;
  const LoadOptions& options_;
  const std::vector<LiveTensor> live_;
  TensorReader reader_;
  LoadReport report_;
  std::vector<TensorMatch> tensors_;
  std::vector<OptimizerMatch> optimizers_;
  std::vector<RngState> rng_;
  std::vector<NewState> states_;
  std::unordered_map<torch::optim::OptimizerParamGroup*,
                     std::unique_ptr<torch::optim::OptimizerOptions>>
      options_of_groups_;
  std::vector<std::function<void()>> last_;
};

}  // namespace

LoadReport load(const Checkpoint& checkpoint, const TrainingState& state,
                const LoadOptions& options) {
  return Load(checkpoint, state.parts(), options).run();
}

LoadReport load(const std::string& path, const TrainingState& state, const LoadOptions& options) {
  return load(take(Checkpoint::open(path, options.open)), state, options);
}

LoadReport load(const std::string& path, torch::nn::Module& module, const LoadOptions& options) {
  return load(path, TrainingState().module("", module), options);
}

}  // namespace ingot::libtorch
