// Ingot's save, as bench_compare's command.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/support/commands.h"

namespace ingot::bench {

// SHAPE RAW FILE TINY_SHAPE TINY_RAW: the shape's tensors with RAW's bytes, from ordinary memory to
// a durable FILE; before the clock starts the tiny ones to FILE.tiny.
nlohmann::json save_file(const Arguments& in);

}  // namespace ingot::bench
