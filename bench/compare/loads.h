// Ingot's ways to have all of a file's tensors, as bench_compare's commands.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/verify.h"

#include "bench/support/commands.h"

namespace ingot::bench {

// A view of every tensor, by ordinal.
std::vector<std::span<const std::byte>> views(const Checkpoint& checkpoint);
// Throws what is damaged.
void verify_or_throw(const Checkpoint& checkpoint, const VerifyOptions& options);

// All do the same with TINY before the clock starts.
//
// FILE TINY DEVICE: every tensor in one piece of memory of the device ("cpu", "cuda:N"), which is
// made inside the time, each byte proven on the way.
nlohmann::json load_file(const Arguments& in);
// The same, nothing hashed.
nlohmann::json load_unverified(const Arguments& in);
// FILE TINY: the mapped file itself, every page touched, nothing hashed.
nlohmann::json load_mapped(const Arguments& in);
// FILE TINY: the mapped file, every byte of it proven in place first.
nlohmann::json load_mapped_verified(const Arguments& in);
// FILE: [name, dtype, shape, sum] of every tensor, by name, as each of the loads above ends; the
// last verifies the whole file, then loads.
nlohmann::json checked(const Arguments& in);
nlohmann::json checked_unverified(const Arguments& in);
nlohmann::json checked_mapped(const Arguments& in);
nlohmann::json checked_mapped_verified(const Arguments& in);
nlohmann::json checked_verified(const Arguments& in);

}  // namespace ingot::bench
