// What the machine allows a save and a resume, and parts of them alone.
#pragma once

#include "bench/support/commands.h"

namespace ingot::bench {

nlohmann::json write_ceilings(const Arguments& in);  // MIB FILE FIRST
nlohmann::json proven_write(const Arguments& in);    // MIB FILE
nlohmann::json copy_ceiling(const Arguments& in);    // MIB
nlohmann::json fresh_memory(const Arguments& in);    // MIB

}  // namespace ingot::bench
