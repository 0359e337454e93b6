#include "bench/compare/touch.h"

namespace ingot::bench {

std::uint64_t touch(std::span<const std::byte> bytes) {
  constexpr std::size_t kPageBytes = 4096;
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kPageBytes) {
    sum += static_cast<std::uint64_t>(bytes[at]);
  }
  return bytes.empty() ? 0 : sum + static_cast<std::uint64_t>(bytes.back());
}

}  // namespace ingot::bench

std::uint64_t ingot_bench_touch(const std::byte* const* begins, const std::uint64_t* lengths,
                                std::uint64_t count) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) sum += ingot::bench::touch({begins[i], lengths[i]});
  return sum;
}
