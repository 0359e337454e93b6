// What this machine allows at best, beside the contenders: bench_compare's commands.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/support/commands.h"

namespace ingot::bench {

// FILE: as many bytes from memory to memory, both touched, by as many threads as there are
// processors.
nlohmann::json ceiling_copy(const Arguments& in);
// FILE: as many bytes of memory hashed, by as many threads.
nlohmann::json ceiling_hash(const Arguments& in);
// FILE TINY: the index hashed and verified by FlatBuffers, already in memory.
nlohmann::json ceiling_open(const Arguments& in);
// FILE TINY: parts of open(), one by one.
nlohmann::json part_open(const Arguments& in);
// FILE FIRST: read front to back by O_DIRECT, in every shape of kDirectIoShapes, the FIRSTth first.
nlohmann::json ceiling_read(const Arguments& in);
// RAW FILE FIRST: as many bytes as RAW has, written by O_DIRECT, with fsync, in every such shape.
nlohmann::json ceiling_write(const Arguments& in);

}  // namespace ingot::bench
