#include "libtorch/stored_names.h"

#include <algorithm>

#include "libtorch/error.h"

namespace ingot::libtorch {
namespace {

std::optional<StateView> find_in_dict(const std::optional<StateView>& dict, std::string_view key) {
  if (!dict || dict->kind() != StateKind::kDict) return std::nullopt;
  return dict->find(key);
}

// Whether `name` is `from`, or begins with it up to a dot.
bool fits(std::string_view name, const std::string& from) {
  if (!name.starts_with(from)) return false;
  return name.size() == from.size() || from.ends_with('.') || name[from.size()] == '.' ||
         from.empty();
}

struct ModulesOfFile {
  std::size_t count = 0;
  std::string sole;  // name of the only one
};

ModulesOfFile modules_of(const Checkpoint& checkpoint) {
  ModulesOfFile found;
  const auto modules = find_in_dict(checkpoint.state(), "modules");
  if (!modules || modules->kind() != StateKind::kDict) return found;
  for (auto child = modules->first_child(); child; child = child->next_sibling()) {
    ++found.count;
    if (child->has_string_key()) found.sole = child->string_key();
  }
  return found;
}

std::string prefix_for(const std::string& module) { return module.empty() ? "" : module + "."; }

}  // namespace

std::optional<StateView> find_part(const Checkpoint& checkpoint, std::string_view key,
                                   std::string_view name) {
  return find_in_dict(find_in_dict(checkpoint.state(), key), name);
}

StoredNames::StoredNames(const Checkpoint& checkpoint, const Parts& parts,
                         const std::vector<Rename>& renames)
    : renames_(renames) {
  std::vector<std::string> wanted;
  for (const Parts::Module& module : parts.modules) {
    if (!module.naming_only) wanted.push_back(module.name);
  }
  const ModulesOfFile stored = modules_of(checkpoint);
  if (wanted.size() != 1 || stored.count > 1) return;
  // Bare names on one side: there is no question which module is meant.
  if (!wanted.front().empty() && !stored.sole.empty()) return;
  from_ = prefix_for(stored.sole);
  to_ = prefix_for(wanted.front());
}

std::string StoredNames::translate(std::string_view stored, bool of_module) const {
  std::string name(stored);
  if (of_module && stored.starts_with(from_)) name = to_ + name.substr(from_.size());
  for (const Rename& rename : renames_) {
    if (fits(name, rename.from)) return rename.to + name.substr(rename.from.size());
  }
  return name;
}

bool StoredTensors::same_bytes(const TensorInfo& a, const TensorInfo& b) const {
  return a.bytes == b.bytes && a.bytes == checkpoint_.storage(a.storage).bytes &&
         b.bytes == checkpoint_.storage(b.storage).bytes &&
         checkpoint_.storage_digest(a.storage) == checkpoint_.storage_digest(b.storage);
}

StoredTensors::StoredTensors(const Checkpoint& checkpoint, const StoredNames& names)
    : checkpoint_(checkpoint) {
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    const TensorInfo info = checkpoint.info(i);
    if (info.role == Role::kOptimizerState) continue;
    std::string name = names.translate(info.name, info.role != Role::kOther);
    if (!by_name_.emplace(name, items_.size()).second) {
      raise(Code::kInvalidArgument, "two tensors of the file are named \"" + name +
                                        "\" after renaming; the second is \"" +
                                        std::string(info.name) + "\"");
    }
    items_.push_back({std::move(name), info});
  }
}

const TensorInfo* StoredTensors::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &items_[found->second].info;
}

}  // namespace ingot::libtorch
