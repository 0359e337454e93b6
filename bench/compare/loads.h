// Ingot's ways to have all of a file's tensors, as bench_compare's commands.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/support/commands.h"

namespace ingot::bench {

// FILE TINY: every tensor in memory of its own, each byte proven on the way.
nlohmann::json load_file(const Arguments& in);
// The same, nothing hashed; and the mapped file itself, every page touched, nothing hashed.
nlohmann::json load_unverified(const Arguments& in);
nlohmann::json load_mapped(const Arguments& in);
// The mapped file, every byte of it proven in place first.
nlohmann::json load_mapped_verified(const Arguments& in);
// FILE TINY: a view of every tensor; no data is read.
nlohmann::json view_file(const Arguments& in);
// FILE TINY: every byte of the file hashed and compared.
nlohmann::json verify_file(const Arguments& in);
// FILE: [name, dtype, shape, sum] of every loaded tensor, by name; the second verifies the file
// before.
nlohmann::json checked(const Arguments& in);
nlohmann::json checked_verified(const Arguments& in);

}  // namespace ingot::bench
