#include "libtorch/encode.h"

#include <unordered_map>

#include "libtorch/error.h"
#include "libtorch/names.h"
#include "libtorch/optimizer_kind.h"
#include "libtorch/rng.h"

namespace ingot::libtorch {

using torch::Tensor;

namespace {

// A tied parameter that an optimizer was given twice, as module.parameters() gives it, has its
// second name the second time.
std::string name_of_member(const Names& names, const Parts::Optimizer& part, const Tensor& param,
                           std::size_t occurrence, std::size_t group, std::size_t position) {
  const std::vector<std::string> found = names.of(param, part.of);
  if (occurrence < found.size()) return found[occurrence];
  raise(
      Code::kInvalidArgument,
      "optimizer " + part.name + ": parameter " + std::to_string(position) + " of group " +
          std::to_string(group) + " is in " +
          (part.of.empty() ? "no module or tensor of the state" : "no module \"" + part.of + "\"") +
          "; add its module with module(), or with naming() when it is saved elsewhere");
}

StateValue sizes_of(const Tensor& tensor) {
  StateValue sizes = StateValue::list();
  for (const std::int64_t size : tensor.sizes()) sizes.append(to_state(size));
  return sizes;
}

class OptimizerEncoder {
 public:
  OptimizerEncoder(Draft& draft, const Names& names, const Parts::Optimizer& part)
      : draft_(draft), names_(names), part_(part), kind_(kind_of(*part.optimizer)) {}

  StateValue run() {
    StateValue groups = StateValue::list();
    for (auto& group : part_.optimizer->param_groups()) groups.append(add_group(group));
    StateValue optimizer = StateValue::dict();
    optimizer.set("class", StateValue::string(std::string(kind_.class_name())));
    optimizer.set("state", std::move(state_));
    optimizer.set("param_groups", std::move(groups));
    return optimizer;
  }

 private:
  StateValue add_group(torch::optim::OptimizerParamGroup& group) {
    StateValue dict = kind_.save_options(group.options());
    StateValue params = StateValue::list();
    StateValue names = StateValue::list();
    StateValue shapes = StateValue::list();
    StateValue grads = StateValue::list();
    for (std::size_t i = 0; i < group.params().size(); ++i) {
      const Tensor& param = group.params()[i];
      const std::size_t occurrence = occurrences_[param.unsafeGetTensorImpl()]++;
      const std::string name = name_of_member(names_, part_, param, occurrence, group_, i);
      add_state(param, name);
      params.append(to_state(index_++));
      names.append(StateValue::string(name));
      shapes.append(sizes_of(param));
      grads.append(to_state(param.requires_grad()));
    }
    ++group_;
    dict.set("params", std::move(params));
    dict.set("param_names", std::move(names));
    dict.set("param_shapes", std::move(shapes));
    dict.set("param_requires_grad", std::move(grads));
    return dict;
  }

  void add_state(const Tensor& param, const std::string& name) {
    auto& states = part_.optimizer->state();
    const auto found = states.find(param.unsafeGetTensorImpl());
    if (found == states.end() || found->second == nullptr) return;
    const StoreTensor store = [&](const std::string& entry, const Tensor& tensor) {
      const std::string full = part_.name + "/" + name + "/" + entry;
      draft_.add(full, tensor, Role::kOptimizerState);
      return StateValue::tensor(full);
    };
    state_.set(index_, kind_.save_state(*found->second, store));
  }

  Draft& draft_;
  const Names& names_;
  const Parts::Optimizer& part_;
  const OptimizerKind& kind_;
  std::unordered_map<const void*, std::size_t> occurrences_;
  StateValue state_ = StateValue::dict();
  std::int64_t index_ = 0;
  std::size_t group_ = 0;
};

void encode_modules(const Parts& parts, StateValue& root) {
  StateValue modules = StateValue::dict();
  for (const Parts::Module& module : parts.modules) {
    if (module.naming_only) continue;
    modules.set(module.name, StateValue::dict()).set("prefix", StateValue::string(module.prefix()));
  }
  if (!modules.keys().empty()) root.set("modules", std::move(modules));
}

void encode_values(const std::vector<Parts::Value>& values, const char* key, StateValue& root) {
  if (values.empty()) return;
  StateValue& dict = root.set(key, StateValue::dict());
  for (const Parts::Value& value : values) dict.set(value.name, value.save());
}

}  // namespace

Planned plan_save(const Parts& parts) {
  Draft draft;
  const std::vector<LiveTensor> tensors = live_tensors(parts);
  for (const LiveTensor& live : tensors) {
    if (!live.naming_only) draft.add(live.name, live.tensor, live.role);
  }
  encode_modules(parts, draft.root());
  const Names names(tensors);
  if (!parts.optimizers.empty()) {
    StateValue& dict = draft.root().set("optimizers", StateValue::dict());
    for (const Parts::Optimizer& part : parts.optimizers) {
      dict.set(part.name, OptimizerEncoder(draft, names, part).run());
    }
  }
  encode_values(parts.schedulers, "schedulers", draft.root());
  if (parts.rng) draft.root().set("rng", save_rng(draft));
  encode_values(parts.values, "values", draft.root());
  for (const Parts::Attachment& attachment : parts.attachments) draft.attach(attachment);
  return std::move(draft).plan();
}

}  // namespace ingot::libtorch
