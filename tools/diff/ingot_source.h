// An Ingot file as a side of a comparison.
#pragma once

#include <memory>

#include "ingot/checkpoint.h"

#include "tools/diff/source.h"

namespace ingot::tools {

std::unique_ptr<DiffSource> make_ingot_source(Checkpoint checkpoint);

}  // namespace ingot::tools
