// Progress and cancellation, shared by everything that takes long. Plain functions with a context,
// so that any language can supply them.
#pragma once

#include <atomic>
#include <cstdint>

namespace ingot {

// Called with bytes done so far and in all, from whichever thread did the work, one call at a time.
// It must return soon and must not call back into the object that reports.
struct ProgressCallback {
  void (*function)(void* context, std::uint64_t done_bytes, std::uint64_t total_bytes) = nullptr;
  void* context = nullptr;  // owned by the caller; must outlive the operation

  void operator()(std::uint64_t done_bytes, std::uint64_t total_bytes) const {
    if (function != nullptr) function(context, done_bytes, total_bytes);
  }
};

// Set it from any thread or signal handler; the operation ends soon with Code::kCancelled.
// Owned by the caller; must outlive the operation.
using CancelFlag = std::atomic<bool>;

}  // namespace ingot
