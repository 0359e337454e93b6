// Whether a file is in memory already: what speaks for reading it through the page cache, or past
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "loader/checkpoint_state.h"

namespace ingot::loader {

// Below, opening a second descriptor and a queue costs more than it saves.
inline constexpr std::uint64_t kSmallBytes = std::uint64_t{1} << 20;

// How much of a stretch of a file is in memory, by samples.
struct Residency {
  std::uint64_t percent = 0;

  // Then reading the rest page by page costs less than reading all of it past the page cache.
  bool warm() const { return percent >= 90; }
  std::string text() const { return std::to_string(percent) + " % of it is in memory"; }
};

// Of [begin, end); nullopt when it cannot be known: the file is not mapped, or the kernel does not
// tell this process.
std::optional<Residency> residency_of(const Checkpoint::State& state, std::uint64_t begin,
                                      std::uint64_t end);

}  // namespace ingot::loader
