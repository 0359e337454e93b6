// Counts every allocation of the process: this library replaces operator new.
#pragma once

#include <cstdint>

namespace ingot::bench {

// Calls of any operator new by this thread since it started.
std::uint64_t allocations() noexcept;

}  // namespace ingot::bench
