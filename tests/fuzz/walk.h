// Touches everything that an open checkpoint says of itself. What it returns only keeps the
// compiler from leaving the reads out.
#pragma once

#include <cstdint>

#include "ingot/checkpoint.h"

namespace ingot::fuzz {

// Makes the reads behind a sum count as used.
void keep(std::uint64_t sum);

std::uint64_t walk_state(const StateView& root);
std::uint64_t walk(const Checkpoint& checkpoint);

}  // namespace ingot::fuzz
