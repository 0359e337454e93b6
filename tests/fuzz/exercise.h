// One file through everything that reads: open, walk, verify, read and view every tensor.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace ingot::fuzz {

enum class Outcome : std::uint8_t {
  kRefused,  // by open()
  kDamaged,  // open() accepted it, the full verification did not
  kIntact,
};

// Aborts where parts of the library disagree: a tensor of an intact file that cannot be read, a
// view of another length than the tensor's.
Outcome exercise_file(Bytes file);

}  // namespace ingot::fuzz
