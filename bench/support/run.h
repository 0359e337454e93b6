// How a benchmark is registered: "group/shape/contender", timed by the code under test itself.
//
// Contenders whose names begin with "ingot" are the product; with "ceiling:" what the machine
// allows; with "part:" a part of the work, alone, for the explanation; anything else is a peer.
// bench/report.py reads these names.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "ingot/exceptions.h"

namespace ingot::bench {

inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Seconds that `work()` takes.
template <typename Work>
double time_of(Work&& work) {
  auto begin = std::chrono::steady_clock::now();
  work();
  return seconds_since(begin);
}

enum class Repeat {
  kAdaptive,  // Google Benchmark chooses the iterations
  kOnce,      // one iteration a repetition: long ones, and those that prepare the page cache
};

// `run(state)` sets the time of each iteration itself (state.SetIterationTime).
inline benchmark::internal::Benchmark* add_benchmark(const std::string& group,
                                                     const std::string& shape,
                                                     const std::string& contender, Repeat repeat,
                                                     std::function<void(benchmark::State&)> run) {
  std::string name = group + "/" + shape + "/" + contender;
  auto* added = benchmark::RegisterBenchmark(name.c_str(), std::move(run));
  added->UseManualTime();
  if (repeat == Repeat::kOnce) added->Iterations(1)->Unit(benchmark::kMillisecond);
  return added;
}

}  // namespace ingot::bench
