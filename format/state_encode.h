// From a StateValue to the flat arrays of the index.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "ingot/state.h"
#include "ingot/status.h"

#include "base/bytes.h"

namespace ingot::format {

// The state tree in preorder. Strings and blobs are numbered in order of use, a key before its
// value; the views point into the StateValue.
struct FlatState {
  struct Node {
    StateKind kind = StateKind::kNull;
    std::uint8_t key_kind = 0;
    std::uint32_t children = 0;
    std::uint64_t key = 0;
    std::uint64_t value = 0;
  };
  std::vector<Node> nodes;
  std::vector<std::string_view> strings;
  std::vector<Bytes> blobs;
};

inline constexpr std::uint8_t kKeyNone = 0;
inline constexpr std::uint8_t kKeyInt = 1;
inline constexpr std::uint8_t kKeyString = 2;

// Ordinal of the tensor with this name.
using ResolveTensor = std::function<std::optional<std::uint32_t>(std::string_view)>;

// kInvalidArgument: nested too deep, keys or items that a kind cannot hold, a dict whose items have
// no keys, an unknown tensor.
Result<FlatState> flatten_state(const StateValue& root, const ResolveTensor& resolve);

}  // namespace ingot::format
