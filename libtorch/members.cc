#include "libtorch/members.h"

#include <torch/csrc/jit/api/module.h>

namespace ingot::libtorch {
namespace {

// A module's own parameters, its own buffers, then its children: not named_parameters(), which
// puts all parameters before all buffers and, with the module itself in a list, asks for a
// shared_ptr to it.
void add_members(const torch::nn::Module& module, const std::string& prefix,
                 std::vector<MemberTensor>& members) {
  for (const auto& item : module.named_parameters(/*recurse=*/false)) {
    if (!item.value().defined()) continue;
    members.push_back({prefix + item.key(), item.value(), Role::kParameter});
  }
  for (const auto& item : module.named_buffers(/*recurse=*/false)) {
    if (!item.value().defined()) continue;
    members.push_back({prefix + item.key(), item.value(), Role::kBuffer});
  }
  for (const auto& item : module.named_children()) {
    if (item.value()) add_members(*item.value(), prefix + item.key() + ".", members);
  }
}

void add_members(const torch::jit::Module& module, const std::string& prefix,
                 std::vector<MemberTensor>& members) {
  for (const auto& item : module.named_parameters(/*recurse=*/false)) {
    if (item.value.defined()) members.push_back({prefix + item.name, item.value, Role::kParameter});
  }
  for (const auto& item : module.named_buffers(/*recurse=*/false)) {
    if (item.value.defined()) members.push_back({prefix + item.name, item.value, Role::kBuffer});
  }
  for (const auto& item : module.named_children()) {
    add_members(item.value, prefix + item.name + ".", members);
  }
}

}  // namespace

std::vector<MemberTensor> members_of(const torch::nn::Module& module) {
  std::vector<MemberTensor> members;
  add_members(module, "", members);
  return members;
}

std::vector<MemberTensor> members_of(const torch::jit::Module& module) {
  std::vector<MemberTensor> members;
  add_members(module, "", members);
  return members;
}

}  // namespace ingot::libtorch
