// What every benchmark program is told on its command line.
#pragma once

#include <string>

namespace ingot::bench {

struct Options {
  std::string cache_folder;  // where input files are made once and kept
  bool quick = false;        // tiny sizes: shows that a benchmark works, measures nothing
  int gpu = 0;               // which one, of benchmarks that need one
  int threads = 0;           // of every parallel contender; never 0 after run_benchmarks() began
};

// The options of this process; fixed before the first benchmark is registered.
const Options& options();

// For programs without benchmarks in them.
void set_cache_folder(const std::string& folder);

// Parses --ingot_cache=FOLDER, --ingot_quick, --ingot_threads=N and --ingot_gpu=N, leaves the rest
// to Google Benchmark, calls `register_all` and runs what it registered. The exit code is 1 when
// any benchmark reported an error, which Google Benchmark alone would not say.
int run_benchmarks(int argc, char** argv, void (*register_all)());

}  // namespace ingot::bench
