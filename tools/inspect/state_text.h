// The state tree as indented text.
#pragma once

#include "ingot/checkpoint.h"
#include "ingot/state.h"

#include "tools/cli/output.h"

namespace ingot::tools {

// One line a value; long strings and bytes are cut.
void print_state(const Checkpoint& checkpoint, const StateView& root, Output& out);

// "dict, 3 entries", "int64", ...
std::string describe(const StateView& value);

// A value on one line: numbers in full, text cut to a line's length; containers as describe().
std::string value_text(const Checkpoint& checkpoint, const StateView& value);

// "epoch" or 3: the key under which a value lies; empty for none.
std::string key_text(const StateView& value);

}  // namespace ingot::tools
