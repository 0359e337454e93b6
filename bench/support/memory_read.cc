#include "bench/support/memory_read.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

namespace ingot::bench {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
std::uint64_t
sum_words(std::span<const std::byte> bytes) {
  // 64 words at once: enough independent sums to hide the latency of the loads.
  constexpr std::size_t kLanes = 64;
  std::uint64_t lanes[kLanes] = {};
  std::size_t offset = 0;
  for (; bytes.size() - offset >= sizeof lanes; offset += sizeof lanes) {
    std::uint64_t words[kLanes];
    std::memcpy(words, bytes.data() + offset, sizeof words);
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] += words[i];
  }
  std::uint64_t sum = 0;
  for (std::uint64_t lane : lanes) sum += lane;
  while (offset < bytes.size()) {
    std::uint64_t word = 0;
    std::size_t n = std::min(sizeof word, bytes.size() - offset);
    std::memcpy(&word, bytes.data() + offset, n);
    sum += word;
    offset += n;
  }
  return sum;
}

void on_threads(int threads, const std::function<void(int worker)>& visit) {
  std::vector<std::thread> workers;
  for (int i = 1; i < threads; ++i) workers.emplace_back(visit, i);
  visit(0);
  for (std::thread& worker : workers) worker.join();
}

std::uint64_t sum_parallel(std::span<const std::byte> bytes, std::size_t part_bytes, int threads,
                           std::uint64_t (*visit)(std::span<const std::byte>)) {
  std::atomic<std::size_t> next = 0;
  std::atomic<std::uint64_t> total = 0;
  on_threads(threads, [&](int) {
    std::uint64_t sum = 0;
    for (;;) {
      std::size_t begin = next.fetch_add(part_bytes, std::memory_order_relaxed);
      if (begin >= bytes.size()) break;
      sum += visit(bytes.subspan(begin, std::min(part_bytes, bytes.size() - begin)));
    }
    total.fetch_add(sum, std::memory_order_relaxed);
  });
  return total;
}

}  // namespace ingot::bench
