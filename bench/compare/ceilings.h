// What this machine allows at best, beside the contenders: bench_compare's commands.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/support/commands.h"

namespace ingot::bench {

// FILE: as many bytes from memory to memory, both touched, by as many threads as there are
// processors.
nlohmann::json ceiling_copy(const Arguments& in);
// FILE: read front to back by O_DIRECT.
nlohmann::json ceiling_read(const Arguments& in);
// RAW FILE: as many bytes as RAW has, written by O_DIRECT, with fsync.
nlohmann::json ceiling_write(const Arguments& in);

}  // namespace ingot::bench
