// What contenders read, and the state of the page cache before: bench_compare's commands.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/support/commands.h"

namespace ingot::bench {

// SHAPE LISTING RAW: the tensors' list (JSON) and their bytes, for the peers.
nlohmann::json make_listing(const Arguments& in);
// SHAPE FOLDER: the same as an Ingot file; prints its path.
nlohmann::json make_ingot(const Arguments& in);
// FILE...: bring files into the page cache, or put them out of it, and prove it.
nlohmann::json warm_files(const Arguments& in);
nlohmann::json cool_files(const Arguments& in);

}  // namespace ingot::bench
