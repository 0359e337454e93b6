#include "loader/verify_job.h"

namespace ingot::loader {

std::optional<Stretch> VerifyJob::take() {
  while (!stopped()) {
    const std::uint64_t number = next_unit_.fetch_add(1, std::memory_order_relaxed);
    if (number >= plan.units()) break;
    const Stretch unit = plan.unit(number);
    if (!errors.wants(unit.begin)) break;
    if (unit.bytes() > 0) return unit;
  }
  return std::nullopt;
}

void VerifyJob::finished(std::uint64_t bytes) {
  if (options.progress.function == nullptr) {
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    return;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  options.progress(bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes, plan.total_bytes());
}

void VerifyJob::fail(const Status& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (failure_.ok()) failure_ = status;
  failed_.store(true, std::memory_order_relaxed);
}

Status VerifyJob::failure() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return failure_;
}

}  // namespace ingot::loader
