// The first error of an operation that several threads work on.
#pragma once

#include <atomic>
#include <mutex>

#include "ingot/status.h"

namespace ingot::writer {

// Thread-safe. ok() costs one load.
class StickyStatus {
 public:
  bool ok() const { return !failed_.load(std::memory_order_acquire); }
  Status get() const;
  // Keeps the first error and returns the one that is kept; OK statuses leave it unchanged.
  Status set(Status status);

 private:
  std::atomic<bool> failed_ = false;
  mutable std::mutex mutex_;
  Status first_;
};

}  // namespace ingot::writer
