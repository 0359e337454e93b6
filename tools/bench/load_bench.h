// `ingot bench load`: how fast a file comes to a device, and what the machine could do at best.
#pragma once

#include <cstdint>
#include <string>

#include "ingot/checkpoint.h"
#include "ingot/stream.h"

namespace ingot::tools {

struct LoadBenchOptions {
  StreamOptions stream;
  bool cold = false;      // the file is dropped from the page cache before each run
  bool in_place = false;  // every tensor to memory of its own, and not all to one slab
  int repetitions = 5;
};

struct LoadBench {
  StreamReport report;  // of the run with the median time
  double seconds = 0;   // median
  double fastest = 0;
  double slowest = 0;
  double gbps = 0;                    // of the median, 10^9 bytes a second
  double ceiling_gbps = 0;            // median
  std::string ceiling;                // what was measured
  std::uint64_t peak_rss_bytes = 0;   // of the process during the runs, destination included
  std::uint64_t added_rss_bytes = 0;  // of it, what the runs added
  std::uint64_t destination_bytes = 0;
};

// Loads and ceiling take turns. Destinations are made, and touched, before the clock starts.
Result<LoadBench> run_load_bench(const Checkpoint& checkpoint, Device& device,
                                 const LoadBenchOptions& options);

}  // namespace ingot::tools
