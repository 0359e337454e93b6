// Counts every allocation of the program that links it, the library's included.
#pragma once

#include <cstdint>

namespace ingot::testing {

std::uint64_t allocation_count();
// Bytes that are allocated now.
std::uint64_t live_bytes();

}  // namespace ingot::testing
