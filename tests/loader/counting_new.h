// Counts every allocation of the program that links it, the library's included, and lets one fail.
#pragma once

#include <cstdint>

namespace ingot::testing {

std::uint64_t allocation_count();
// Bytes that are allocated now.
std::uint64_t live_bytes();

// The n-th allocation of the calling thread from now on, from 0, fails; once.
void fail_allocation(std::uint64_t n);
// Takes that back. Whether it has failed.
bool stop_failing();

}  // namespace ingot::testing
