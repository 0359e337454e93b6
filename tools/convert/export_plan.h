// What an export writes where. No data is read.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/status.h"

#include "tools/convert/export.h"
#include "tools/safetensors/header.h"

namespace ingot::tools {

struct ExportFile {
  std::string name;                          // within the folder of the output, or its whole path
  std::vector<safetensors::Tensor> tensors;  // placed, in the order of their data
  std::string header;                        // everything before the data

  std::uint64_t data_bytes() const { return tensors.empty() ? 0 : tensors.back().end; }
  std::uint64_t file_bytes() const { return header.size() + data_bytes(); }
};

// The names under which readers of a folder look for its model. Both at once are two models.
struct FolderNames {
  std::string single;  // whole paths
  std::string index;
};

struct ExportPlan {
  std::vector<ExportFile> files;
  std::optional<std::string> index;   // text of the shard index, when there is more than one shard
  std::optional<FolderNames> folder;  // whose model the output is; none when it has another name
  std::vector<std::string> dropped;
  std::vector<std::string> duplicated;

  std::uint64_t data_bytes() const;
  // Of the folder's names the one that this output does not take.
  const std::string& rival() const { return index ? folder->single : folder->index; }
};

// Of the folder's model: model.safetensors, model-00001-of-00002.safetensors, ...
inline constexpr std::string_view kModelStem = "model";

Result<ExportPlan> plan_export(const Checkpoint& checkpoint, const std::string& out,
                               const ExportOptions& options);

}  // namespace ingot::tools
