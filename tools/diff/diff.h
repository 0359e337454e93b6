// The differences between two files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ingot/progress.h"
#include "ingot/status.h"

#include "tools/diff/source.h"
#include "tools/diff/state_diff.h"
#include "tools/diff/values.h"

namespace ingot::tools {

enum class DiffDepth : std::uint8_t {
  kNames,    // names, dtypes, shapes and attributes: no data, no digests
  kDigests,  // and which tensors differ; data is read only where digests cannot tell
  kValues,   // and how much
};

struct DiffOptions {
  DiffDepth depth = DiffDepth::kValues;
  bool follow_symlinks = false;
  ProgressCallback progress = {};
  const CancelFlag* cancel = nullptr;
};

// A tensor or attachment that is not the same on both sides.
struct TensorChange {
  std::string name;
  // Any of "added", "removed", "retyped", "reshaped", "changed", "role", "requires_grad",
  // "layout", "tied", "quantization"; of attachments also "media_type".
  std::vector<std::string> changes;
  std::optional<TensorFacts> a;  // views into the sources
  std::optional<TensorFacts> b;
  std::optional<ValueDiff> values;
};

struct DiffReport {
  std::uint64_t compared = 0;             // tensors that both sides have
  std::uint64_t equal = 0;                // of those
  std::vector<TensorChange> tensors;      // by name
  std::vector<TensorChange> attachments;  // by name
  std::vector<StateChange> state;
  std::uint64_t bytes_read = 0;

  bool is_equal() const { return tensors.empty() && attachments.empty() && state.empty(); }
};

// The sources must outlive the report.
Result<DiffReport> diff(const DiffSource& a, const DiffSource& b, const DiffOptions& options);

}  // namespace ingot::tools
