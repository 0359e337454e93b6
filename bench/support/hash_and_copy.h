// What whoever proves what it writes does with every byte, beside handing it to the kernel: hashes
// it as it is handed over, copies it to a slot, hashes the slot.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstring>
#include <span>

#include "ingot/digest.h"

#include "bench/support/direct_io.h"

namespace ingot::bench {

// Slots as a Writer has them, and about as many in flight.
inline constexpr DirectIoShape kWriterShape{std::size_t{4} << 20, 12};

inline void hash_and_copy(std::span<const std::byte> block, std::span<std::byte> slot) {
  benchmark::DoNotOptimize(digest_of(block));
  std::memcpy(slot.data(), block.data(), block.size());
  benchmark::DoNotOptimize(digest_of(slot));
}

}  // namespace ingot::bench
