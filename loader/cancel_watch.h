// Looks at a caller's cancel flag.
#pragma once

#include <atomic>

#include "ingot/progress.h"

#include "base/cancel.h"

namespace ingot::loader {

// Thread-safe. Once seen, a cancel stays: a flag that its owner takes back must not make work look
// whole of which a part was left out. `flag` may be null; it must outlive this.
class CancelWatch {
 public:
  explicit CancelWatch(const CancelFlag* flag) : flag_(flag) {}

  bool cancelled() const {
    if (is_set(flag_)) seen_.store(true, std::memory_order_relaxed);
    return seen_.load(std::memory_order_relaxed);
  }

 private:
  const CancelFlag* flag_;
  mutable std::atomic<bool> seen_{false};
};

}  // namespace ingot::loader
