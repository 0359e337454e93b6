// What .safetensors knows beside tensors, and where the state tree keeps it (docs/cli.md).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/state.h"

#include "tools/safetensors/header.h"

namespace ingot::tools {

// Keys of the root dict.
inline constexpr std::string_view kMetadataKey = "metadata";             // "__metadata__"
inline constexpr std::string_view kIndexMetadataKey = "index_metadata";  // of the shard index

// The root for a file that is imported; nullopt when there is nothing to keep.
std::optional<StateValue> make_state(const std::optional<safetensors::Metadata>& metadata,
                                     const nlohmann::json& index_metadata);

// The reverse. `extra` names what else the state holds.
struct ExportedState {
  std::optional<safetensors::Metadata> metadata;
  nlohmann::json index_metadata;  // null when there is none
  std::vector<std::string> extra;
};
ExportedState split_state(const Checkpoint& checkpoint);

// An owned copy. Tensor references become names.
StateValue copy_state(const Checkpoint& checkpoint, const StateView& view);

}  // namespace ingot::tools
