// A caller's wish to stop.
#pragma once

#include <atomic>

#include "ingot/progress.h"

namespace ingot {

// Whether there is a flag, and it is set. A flag orders nothing else.
inline bool is_set(const CancelFlag* flag) {
  return flag != nullptr && flag->load(std::memory_order_relaxed);
}

}  // namespace ingot
