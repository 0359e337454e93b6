// `ingot inspect --optimizer`: optimizers as text and as JSON.
#pragma once

#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/optimizer.h"

#include "tools/cli/console.h"

namespace ingot::tools {

// Each optimizer with its groups and options, then a table of its members.
void print_optimizers(const Checkpoint& checkpoint, const std::vector<OptimizerInfo>& optimizers,
                      Console& console);

// One object. Members are written one by one: there may be a million.
void write_optimizers_json(const Checkpoint& checkpoint,
                           const std::vector<OptimizerInfo>& optimizers, Output& out);

}  // namespace ingot::tools
