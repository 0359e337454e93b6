// What the optimizers in a checkpoint are: groups, options, and for each member its name, shape and
// state. Read from the state tree's key `optimizers` (docs/format.md, "State tree"); no data is
// read.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/state.h"
#include "ingot/status.h"

namespace ingot {

// A parameter that an optimizer has. Names and views point into the checkpoint's index, not into
// this struct nor into the optimizers' vector: they are valid as long as any Checkpoint, TensorView
// or MutableTensorView from the same open() lives. Another open() of the same file does not count.
struct OptimizerMember {
  // PyTorch's number: the position over all groups. Unique within the optimizer, less than the
  // number of its members.
  std::int64_t index = 0;
  std::string_view name;  // fully qualified; a tensor's name; unique within the optimizer
  // As the optimizer saw them. Where it does not say, those of the tensor with that name; unset
  // when the file has none.
  std::optional<std::vector<std::int64_t>> shape;
  std::optional<bool> requires_grad;
  // The dict of its state; unset when it has none yet (never stepped, or frozen).
  std::optional<StateView> state;
  // Names of that dict's entries, in order, without those that are null.
  std::vector<std::string_view> entries;
};

// As long-lived as what its members point into.
struct OptimizerGroup {
  // By PyTorch's names (`lr`, `betas`, …), in the file's order. Of any kind.
  std::vector<std::pair<std::string_view, StateView>> options;
  std::vector<OptimizerMember> members;
};

// As long-lived as what its members point into. A plain value: copies are independent of it.
struct OptimizerInfo {
  std::string_view name;        // by which it was saved
  std::string_view class_name;  // PyTorch's: "AdamW"
  std::vector<OptimizerGroup> groups;

  std::uint64_t member_count() const {
    std::uint64_t count = 0;
    for (const OptimizerGroup& group : groups) count += group.members.size();
    return count;
  }
};

// All optimizers, in the file's order; empty when it has none. May be called from any thread. Time
// and memory are in proportion to the state tree, whatever its content.
//
// kRejected when the tree does not follow the convention: the message names optimizer, group and
// key. Does not block.
Result<std::vector<OptimizerInfo>> optimizers(const Checkpoint& checkpoint);

}  // namespace ingot
