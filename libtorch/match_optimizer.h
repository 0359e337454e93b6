// Which state and which options of a stored optimizer go where in a live one. Changes nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ingot/optimizer.h"

#include "libtorch/names.h"
#include "libtorch/optimizer_kind.h"
#include "libtorch/stored_names.h"

namespace ingot::libtorch {

struct OptimizerMatch {
  struct Member {
    std::string name;
    std::size_t group;  // of the live optimizer
    torch::Tensor param;
    // What the file has for it: nothing when it never stepped. A member that the file does not
    // know, or that was filtered, is not in the list and keeps what it has.
    std::optional<StateView> state;
  };
  struct Group {
    std::size_t index;
    StateView options;
  };
  const Parts::Optimizer* part = nullptr;
  const OptimizerKind* kind = nullptr;
  std::vector<Member> members;
  std::vector<Group> groups;  // those whose options come from the file
};

// Adds an OptimizerReport (all but `options` and `ignored`, which the load itself finds), or an
// entry of `absent`, for each optimizer of the state. Error with kInvalidArgument when the stored
// optimizer is of another class, kRejected when it is malformed.
std::vector<OptimizerMatch> match_optimizers(const Checkpoint& checkpoint, const Parts& parts,
                                             const Names& names, const StoredNames& stored_names,
                                             const LoadOptions& options, LoadReport* report);

// Calls visit(TensorInfo) for every tensor that a value, at any depth, refers to.
template <typename Visit>
void for_each_tensor(const Checkpoint& checkpoint, const StateView& view, Visit&& visit) {
  if (view.kind() == StateKind::kTensor) visit(checkpoint.info(view.as_tensor()));
  for (auto child = view.first_child(); child; child = child->next_sibling()) {
    for_each_tensor(checkpoint, *child, visit);
  }
}

}  // namespace ingot::libtorch
