#include "writer/sticky_status.h"

#include <utility>

namespace ingot::writer {

Status StickyStatus::get() const {
  if (ok()) return {};
  const std::lock_guard lock(mutex_);
  return first_;
}

Status StickyStatus::set(Status status) {
  if (status.ok()) return get();
  const std::lock_guard lock(mutex_);
  if (first_.ok()) {
    first_ = std::move(status);
    failed_.store(true, std::memory_order_release);
  }
  return first_;
}

}  // namespace ingot::writer
