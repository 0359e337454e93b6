// From a description of live objects to a plan: what is read of them, and what is written of it.
#pragma once

#include "libtorch/draft.h"
#include "libtorch/parts.h"

namespace ingot::libtorch {

Planned plan_save(const Parts& parts);

// Creates the file, writes every piece and commits.
WriteReport write(const std::string& path, const Planned& planned, const SaveOptions& options);

}  // namespace ingot::libtorch
