// What a measurement cost besides time: memory and bytes from and to storage. Linux.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace ingot::bench {

// Largest resident set of this process. Not getrusage's, which starts with that of the parent.
std::uint64_t peak_resident_bytes();
// From now on: what was there before is not what the next step needs.
void reset_peak_resident_bytes();
// Bytes that this process has had read from storage.
std::uint64_t storage_read_bytes();

// Counts from its construction on; report() writes the counters rss_added (the peak of the resident
// set over what it was), storage_read and storage_written (the last two an iteration) beside the
// time, all in bytes. Resident memory includes mapped pages of the page cache that the process
// touched. One at a time: it resets the process's peak.
class Usage {
 public:
  Usage();
  void report(benchmark::State& state) const;

 private:
  std::uint64_t resident_;
  std::uint64_t read_;
  std::uint64_t written_;
};

}  // namespace ingot::bench
