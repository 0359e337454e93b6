// What a measurement cost besides time: memory and bytes from and to storage. Linux.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace ingot::bench {

// Counts from its construction on; report() writes the counters peak_rss, storage_read and
// storage_written (bytes, the last two an iteration) beside the time. Resident memory includes
// mapped pages of the page cache that the process touched. One at a time: it resets the process's
// peak.
class Usage {
 public:
  Usage();
  void report(benchmark::State& state) const;

 private:
  std::uint64_t read_;
  std::uint64_t written_;
};

// Peak resident set since the last reset, or since the start; 0 where /proc does not say.
std::uint64_t peak_rss_bytes();

}  // namespace ingot::bench
