// The names in a file, as the state that is loaded would say them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ingot/libtorch.h"

#include "libtorch/parts.h"

namespace ingot::libtorch {

// Translates names: a file's bare names for a state whose sole module has a name and the reverse,
// then the caller's renames.
class StoredNames {
 public:
  StoredNames(const Checkpoint& checkpoint, const Parts& parts, const std::vector<Rename>& renames);
  // `of_module`: whether it is, or may be, the name of a module's tensor.
  std::string translate(std::string_view stored, bool of_module) const;

 private:
  std::string from_;  // prefix in the file
  std::string to_;    // prefix in the state
  const std::vector<Rename>& renames_;
};

// A file's tensors that may be wanted (all but state of optimizers), by translated name.
class StoredTensors {
 public:
  // Error with kInvalidArgument when two tensors get one name.
  StoredTensors(const Checkpoint& checkpoint, const StoredNames& names);

  struct Item {
    std::string name;
    TensorInfo info;
  };
  const std::vector<Item>& items() const { return items_; }  // in registration order
  const TensorInfo* find(const std::string& name) const;
  // Whether two tensors that fill their storages have equal bytes, by their digests.
  bool same_bytes(const TensorInfo& a, const TensorInfo& b) const;

 private:
  const Checkpoint checkpoint_;
  std::vector<Item> items_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

// root[key][name] of the state tree.
std::optional<StateView> find_part(const Checkpoint& checkpoint, std::string_view key,
                                   std::string_view name);

}  // namespace ingot::libtorch
