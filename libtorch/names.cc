#include "libtorch/names.h"

namespace ingot::libtorch {

std::vector<LiveTensor> live_tensors(const Parts& parts) {
  std::vector<LiveTensor> tensors;
  for (const Parts::Module& module : parts.modules) {
    for (MemberTensor& member : module.tensors()) {
      tensors.push_back({.name = module.prefix() + member.name,
                         .tensor = std::move(member.tensor),
                         .role = member.role,
                         .naming_only = module.naming_only,
                         .module = &module});
    }
  }
  for (const Parts::Tensor& part : parts.tensors) {
    tensors.push_back({.name = part.name, .tensor = *part.tensor, .slot = part.tensor});
  }
  return tensors;
}

Names::Names(const std::vector<LiveTensor>& tensors) {
  for (const LiveTensor& live : tensors) {
    if (!live.tensor.defined()) continue;
    names_[live.tensor.unsafeGetTensorImpl()].push_back(
        {live.name, live.module != nullptr ? live.module->name : std::string()});
  }
}

std::vector<std::string> Names::of(const torch::Tensor& tensor, const std::string& of) const {
  std::vector<std::string> names;
  const auto found = names_.find(tensor.unsafeGetTensorImpl());
  if (found == names_.end()) return names;
  for (const Name& name : found->second) {
    if (of.empty() || name.module == of) names.push_back(name.name);
  }
  return names;
}

}  // namespace ingot::libtorch
