#include <torch/csrc/jit/api/module.h>

#include <algorithm>

#include "libtorch/error.h"
#include "libtorch/members.h"
#include "libtorch/parts.h"
#include "libtorch/schedulers.h"

namespace ingot::libtorch {
namespace {

template <typename Part>
void add(std::vector<Part>& parts, Part part, std::string_view kind) {
  const auto same = [&](const Part& other) { return other.name == part.name; };
  if (std::any_of(parts.begin(), parts.end(), same)) {
    raise(Code::kInvalidArgument,
          "the state has a " + std::string(kind) + " \"" + part.name + "\" already");
  }
  parts.push_back(std::move(part));
}

void add_module(Parts& parts, Parts::Module module) {
  if (module.name.find('.') != std::string::npos) {
    raise(Code::kInvalidArgument, "a module's name has no dot in it: \"" + module.name + "\"");
  }
  add(parts.modules, std::move(module), "module");
  const auto bare = [](const Parts::Module& m) { return m.name.empty(); };
  if (parts.modules.size() > 1 && std::any_of(parts.modules.begin(), parts.modules.end(), bare)) {
    raise(Code::kInvalidArgument, "only the sole module of a state may be without a name");
  }
}

void require_name(const std::string& name, std::string_view kind) {
  if (name.empty()) raise(Code::kInvalidArgument, "a " + std::string(kind) + " needs a name");
}

}  // namespace

TrainingState::TrainingState() : parts_(std::make_unique<Parts>()) {}
TrainingState::TrainingState(const TrainingState& other)
    : parts_(std::make_unique<Parts>(*other.parts_)) {}
TrainingState::TrainingState(TrainingState&& other) noexcept = default;
TrainingState& TrainingState::operator=(TrainingState other) noexcept {
  parts_ = std::move(other.parts_);
  return *this;
}
TrainingState::~TrainingState() = default;

TrainingState& TrainingState::module(std::string name, torch::nn::Module& module) {
  add_module(*parts_,
             {.name = std::move(name), .tensors = [&module] { return members_of(module); }});
  return *this;
}

TrainingState& TrainingState::module(std::string name, std::shared_ptr<torch::nn::Module> module) {
  if (module == nullptr) raise(Code::kInvalidArgument, "the module is null");
  add_module(*parts_, {.name = std::move(name),
                       .tensors = [module = std::move(module)] { return members_of(*module); }});
  return *this;
}

TrainingState& TrainingState::module(std::string name, const torch::jit::Module& module) {
  add_module(*parts_,
             {.name = std::move(name), .tensors = [module] { return members_of(module); }});
  return *this;
}

TrainingState& TrainingState::naming(std::string name, torch::nn::Module& module) {
  add_module(*parts_, {.name = std::move(name), .naming_only = true, .tensors = [&module] {
                         return members_of(module);
                       }});
  return *this;
}

TrainingState& TrainingState::optimizer(std::string name, torch::optim::Optimizer& optimizer,
                                        std::string of) {
  require_name(name, "optimizer");
  add(parts_->optimizers, {.name = std::move(name), .optimizer = &optimizer, .of = std::move(of)},
      "optimizer");
  return *this;
}

TrainingState& TrainingState::scheduler(std::string name, torch::optim::LRScheduler& scheduler) {
  require_name(name, "scheduler");
  add(parts_->schedulers, scheduler_part(std::move(name), scheduler), "scheduler");
  return *this;
}

TrainingState& TrainingState::scheduler(std::string name,
                                        torch::optim::ReduceLROnPlateauScheduler& scheduler) {
  require_name(name, "scheduler");
  add(parts_->schedulers, scheduler_part(std::move(name), scheduler), "scheduler");
  return *this;
}

TrainingState& TrainingState::tensor(std::string name, torch::Tensor& tensor) {
  require_name(name, "tensor");
  add(parts_->tensors, {.name = std::move(name), .tensor = &tensor}, "tensor");
  return *this;
}

TrainingState& TrainingState::rng() {
  parts_->rng = true;
  return *this;
}

TrainingState& TrainingState::attach(std::string name, std::string media_type,
                                     std::string content) {
  add(parts_->attachments,
      {.name = std::move(name),
       .media_type = std::move(media_type),
       .content = std::make_shared<const std::string>(std::move(content))},
      "attachment");
  return *this;
}

TrainingState& TrainingState::add_value(
    std::string name, std::function<StateValue()> save,
    std::function<std::function<void()>(const StateView&)> load) {
  require_name(name, "value");
  add(parts_->values, {.name = std::move(name), .save = std::move(save), .load = std::move(load)},
      "value");
  return *this;
}

}  // namespace ingot::libtorch
