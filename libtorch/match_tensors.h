// Which tensor of the file goes into which live tensor. Changes nothing.
#pragma once

#include <vector>

#include "libtorch/names.h"
#include "libtorch/stored_names.h"

namespace ingot::libtorch {

struct TensorMatch {
  TensorInfo info;
  LiveTensor live;
};

// Fills the report's loaded, missing, unexpected, filtered, shapes, dtypes, and absent modules.
std::vector<TensorMatch> match_tensors(const StoredTensors& stored,
                                       const std::vector<LiveTensor>& live, const Parts& parts,
                                       const LoadOptions& options, LoadReport* report);

// "[2, 3]".
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace ingot::libtorch
