// One run of ingot::verify, for the warm and for the cold benchmark.
#pragma once

#include <benchmark/benchmark.h>

#include <string>

#include "ingot/verify.h"

namespace ingot::bench {

enum class Cache { kWarm, kCold };

// Opens the file (not timed), brings the page cache into the state that `cache` says, proves it by
// mincore, and times verify() at the full level. An error of the benchmark: damage, or a state that
// could not be had. kFastest: as `ingot verify` does it, with a BusGuard. On a file system without
// O_DIRECT, kDirect is left out with a label.
void run_verify(benchmark::State& state, const std::string& path, ReadPath read, int threads,
                Cache cache);

}  // namespace ingot::bench
