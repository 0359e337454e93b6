// The ceiling of everything that looks at bytes in memory: read them, with as many threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace ingot::bench {

// Sum of the little-endian 64-bit words; trailing bytes count as one zero-extended word. Uses the
// widest vectors of this processor.
std::uint64_t sum_words(std::span<const std::byte> bytes);

// Starts `threads` threads, waits for them: visit(worker) in each.
void on_threads(int threads, const std::function<void(int worker)>& visit);

// Hands parts of `part_bytes` (the last may be shorter) to `threads` threads in turn, as they come
// free, and returns the sum of what visit(part) returned. Starts and ends the threads itself.
std::uint64_t sum_parallel(std::span<const std::byte> bytes, std::size_t part_bytes, int threads,
                           std::uint64_t (*visit)(std::span<const std::byte>));

}  // namespace ingot::bench
