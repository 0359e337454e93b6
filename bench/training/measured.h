// What a call cost: its time, and the peak of the resident set during it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "bench/support/run.h"
#include "bench/support/usage.h"

namespace ingot::bench {

inline nlohmann::json rate(double seconds, std::uint64_t bytes) {
  return {{"seconds", seconds}, {"bytes_per_second", static_cast<double>(bytes) / seconds}};
}

template <typename Work>
nlohmann::json measured(std::uint64_t bytes, Work&& work) {
  reset_peak_resident_bytes();
  nlohmann::json out = rate(time_of(work), bytes);
  out["peak_rss_bytes"] = peak_resident_bytes();
  return out;
}

}  // namespace ingot::bench
