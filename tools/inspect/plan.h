// `ingot inspect --plan`: how a load would be made.
#pragma once

#include "ingot/stream.h"

#include "tools/cli/console.h"

namespace ingot::tools {

// The choice and its reason, then a table of the transfers.
void print_plan(const StreamPreview& preview, Console& console);

// One object. Transfers are written one by one: there may be a million.
void write_plan_json(const std::string& path, const StreamPreview& preview, Output& out);

}  // namespace ingot::tools
