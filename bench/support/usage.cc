#include "bench/support/usage.h"

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

namespace ingot::bench {
namespace {

// The number after "key:" in a file of /proc; 0 when there is none.
std::uint64_t proc_number(const char* file, std::string_view key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  }
  return 0;
}

}  // namespace

std::uint64_t peak_resident_bytes() { return proc_number("/proc/self/status", "VmHWM:") * 1024; }

void reset_peak_resident_bytes() {
  std::ofstream("/proc/self/clear_refs") << 5;  // resets VmHWM (proc(5))
}

std::uint64_t storage_read_bytes() { return proc_number("/proc/self/io", "read_bytes:"); }

Usage::Usage()
    : resident_(proc_number("/proc/self/status", "VmRSS:")),
      read_(storage_read_bytes()),
      written_(proc_number("/proc/self/io", "write_bytes:")) {
  reset_peak_resident_bytes();
}

void Usage::report(benchmark::State& state) const {
  using benchmark::Counter;
  auto bytes = [](std::uint64_t n, Counter::Flags flags) {
    return Counter(static_cast<double>(n), flags, Counter::kIs1024);
  };
  std::uint64_t peak = proc_number("/proc/self/status", "VmHWM:");
  state.counters["rss_added"] =
      bytes(peak > resident_ ? (peak - resident_) * 1024 : 0, Counter::kDefaults);
  state.counters["storage_read"] = bytes(storage_read_bytes() - read_, Counter::kAvgIterations);
  state.counters["storage_written"] =
      bytes(proc_number("/proc/self/io", "write_bytes:") - written_, Counter::kAvgIterations);
}

}  // namespace ingot::bench
