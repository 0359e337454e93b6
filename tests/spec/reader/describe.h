// A checkpoint as JSON, in the same words as ingot_reader.py: all that the public interface says.
#pragma once

#include <string>

#include "ingot/checkpoint.h"

namespace ingot::testing {

// One line. Reads and verifies every tensor and attachment; errors are those of reading.
Result<std::string> describe(const Checkpoint& checkpoint);

}  // namespace ingot::testing
