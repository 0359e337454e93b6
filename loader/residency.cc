#include "loader/residency.h"

#include <algorithm>

namespace ingot::loader {
namespace {

// Asking for every page of a large file would cost more than a small load.
constexpr std::uint64_t kSamples = 64;
constexpr std::uint64_t kSampleBytes = std::uint64_t{256} << 10;

}  // namespace

std::optional<Residency> residency_of(const Checkpoint::State& state, std::uint64_t begin,
                                      std::uint64_t end) {
  if (state.mapping == nullptr || begin >= end) return std::nullopt;
  const std::uint64_t sample = std::min(kSampleBytes, end - begin);
  const std::uint64_t step = std::max(sample, (end - begin) / kSamples);
  std::uint64_t asked = 0;
  std::uint64_t found = 0;
  for (std::uint64_t at = begin; at + sample <= end; at += step) {
    const Result<std::uint64_t> resident = state.mapping->resident(at, sample);
    if (!resident.ok()) return std::nullopt;
    asked += sample;
    found += *resident;
  }
  if (asked == 0) return std::nullopt;
  return Residency{found * 100 / asked};
}

}  // namespace ingot::loader
