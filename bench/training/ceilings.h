// What the machine allows a save and a resume, and a part of a resume alone.
#pragma once

#include "bench/support/commands.h"

namespace ingot::bench {

nlohmann::json write_ceilings(const Arguments& in);  // MIB FILE FIRST
nlohmann::json copy_ceiling(const Arguments& in);    // MIB
nlohmann::json fresh_memory(const Arguments& in);    // MIB

}  // namespace ingot::bench
