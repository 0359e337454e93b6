// Reads a byte of every page: what is mapped is resident after it. The Python contenders call the
// same code (native.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ingot::bench {

// The sum of a byte of every page, and the last.
std::uint64_t touch(std::span<const std::byte> bytes);

}  // namespace ingot::bench

// `count` ranges of memory.
extern "C" std::uint64_t ingot_bench_touch(const std::byte* const* begins,
                                           const std::uint64_t* lengths, std::uint64_t count);
