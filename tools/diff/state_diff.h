// Where two state trees differ.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/state.h"

namespace ingot::tools {

struct StateChange {
  enum class Kind : std::uint8_t { kAdded, kRemoved, kChanged, kReordered };
  std::string path;  // a JSON pointer (RFC 6901): "/optimizer/state/3/step"; "" is the root
  Kind kind = Kind::kChanged;
  std::optional<StateValue> a;  // leaves only; containers are not copied
  std::optional<StateValue> b;
};
std::string_view change_name(StateChange::Kind kind);

// In the order of `a`, additions after it. Floats compare by their bits.
std::vector<StateChange> diff_state(const std::optional<StateValue>& a,
                                    const std::optional<StateValue>& b);

}  // namespace ingot::tools
