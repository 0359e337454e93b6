// How long save_async() holds the training up.
#pragma once

#include "bench/support/commands.h"

namespace ingot::bench {

nlohmann::json stall(const Arguments& in);  // cpu|cuda:N host|device MIB FILE

}  // namespace ingot::bench
