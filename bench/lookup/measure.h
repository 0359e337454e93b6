// One look-up after another, each timed alone.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/support/allocations.h"
#include "bench/support/run.h"

namespace ingot::bench {

// Nanoseconds at a quantile; reorders.
inline double quantile(std::vector<float>& values, double fraction) {
  auto nth = static_cast<std::ptrdiff_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + nth, values.end());
  return static_cast<double>(values[static_cast<std::size_t>(nth)]);
}

// Asks all names once an iteration; the time is the mean of a look-up times the number of names,
// the counters p50_ns and p99_ns come from a pass that times each look-up alone (clock_ns, the cost
// of reading the clock, is in them). lookup(name) returns a number; they are summed so that nothing
// is left out. `allocations` counts operator new over all passes.
template <typename Lookup>
void measure_lookups(benchmark::State& state, const std::vector<std::string_view>& names,
                     Lookup lookup) {
  using Clock = std::chrono::steady_clock;
  std::uint64_t sum = 0;
  std::vector<float> single(names.size());
  std::uint64_t before = allocations();
  for (auto _ : state) {
    state.SetIterationTime(time_of([&] {
      for (std::string_view name : names) sum += lookup(name);
    }));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto begin = Clock::now();
    sum += lookup(names[i]);
    single[i] = std::chrono::duration<float, std::nano>(Clock::now() - begin).count();
  }
  std::uint64_t allocated = allocations() - before;
  benchmark::DoNotOptimize(sum);

  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(names.size()));
  state.counters["names"] = static_cast<double>(names.size());
  state.counters["allocations"] = static_cast<double>(allocated);
  state.counters["p50_ns"] = quantile(single, 0.50);
  state.counters["p99_ns"] = quantile(single, 0.99);
  for (float& value : single) {
    auto begin = Clock::now();
    value = std::chrono::duration<float, std::nano>(Clock::now() - begin).count();
  }
  state.counters["clock_ns"] = quantile(single, 0.50);
}

}  // namespace ingot::bench
