// How much resident memory something takes, at most. Linux.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

namespace ingot::testing {

// Kilobytes behind a key of /proc/self/status, in bytes.
inline std::uint64_t process_bytes(std::string_view key) {
  std::ifstream lines("/proc/self/status");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10) * 1024;
  }
  return 0;
}

// Peak of the resident set during work(), over what it was before.
template <typename Work>
std::uint64_t peak_memory_of(Work&& work) {
  std::ofstream("/proc/self/clear_refs") << 5;  // resets VmHWM (proc(5))
  const std::uint64_t before = process_bytes("VmRSS:");
  work();
  const std::uint64_t peak = process_bytes("VmHWM:");
  return peak > before ? peak - before : 0;
}

}  // namespace ingot::testing
