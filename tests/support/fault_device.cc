#include "tests/support/fault_device.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"

namespace ingot::testing {

class FaultStaging final : public StagingBuffer {
 public:
  FaultStaging(FaultDevice& device, std::unique_ptr<StagingBuffer> base)
      : device_(device), base_(std::move(base)) {
    ++device_.alive_;
    const std::uint64_t now = device_.staging_ += base_->bytes().size();
    std::uint64_t peak = device_.peak_staging_;
    while (peak < now && !device_.peak_staging_.compare_exchange_weak(peak, now)) {
    }
  }
  ~FaultStaging() override {
    check_nothing_in_flight();
    device_.staging_ -= base_->bytes().size();
    --device_.alive_;
  }
  FaultStaging(const FaultStaging&) = delete;
  FaultStaging& operator=(const FaultStaging&) = delete;
  std::span<std::byte> bytes() const override { return base_->bytes(); }

 private:
  void check_nothing_in_flight();

  FaultDevice& device_;
  std::unique_ptr<StagingBuffer> base_;
};

// A queue that failed gives its copies up: only drain() works, as the contract says.
class FaultQueue final : public CopyQueue {
 public:
  FaultQueue(FaultDevice& device, std::unique_ptr<CopyQueue> base)
      : device_(device), base_(std::move(base)) {
    ++device_.alive_;
    const std::lock_guard lock(device_.mutex_);
    device_.queues_.push_back(this);
  }
  ~FaultQueue() override {
    const std::lock_guard lock(device_.mutex_);
    std::erase(device_.queues_, this);
    --device_.alive_;
  }
  FaultQueue(const FaultQueue&) = delete;
  FaultQueue& operator=(const FaultQueue&) = delete;

  Status copy(const Copy& copy) override {
    INGOT_RETURN_IF_ERROR(enter("copy"));
    {
      const std::lock_guard lock(device_.mutex_);
      in_flight_.push_back(copy);
    }
    const Status status = base_->copy(copy);
    if (device_.copies_++ == device_.damage_at_) copy.destination[copy.width / 2] ^= std::byte{4};
    return status;
  }
  Result<Fence> record() override {
    INGOT_RETURN_IF_ERROR(enter("record"));
    return base_->record();
  }
  Result<bool> query(Fence fence) override {
    INGOT_RETURN_IF_ERROR(enter("query"));
    return base_->query(fence);
  }
  Status wait(Fence fence) override {
    INGOT_RETURN_IF_ERROR(enter("wait"));
    return base_->wait(fence);
  }
  Status drain() override {
    if (device_.on_drain) device_.on_drain();
    const Status done = base_->drain();
    {
      const std::lock_guard lock(device_.mutex_);
      in_flight_.clear();
    }
    const Status injected = enter("drain");
    return injected.ok() ? done : injected;
  }

 private:
  Status enter(const char* call) {
    if (sticky_.ok()) sticky_ = device_.enter(call);
    return sticky_;
  }

  FaultDevice& device_;
  std::unique_ptr<CopyQueue> base_;
  Status sticky_;
  friend class FaultStaging;
  std::vector<Copy> in_flight_;  // since the last drain
};

void FaultStaging::check_nothing_in_flight() {
  const std::span<std::byte> memory = bytes();
  const auto is_here = [&](const std::byte* address) {
    return memory.data() <= address && address < memory.data() + memory.size();
  };
  const std::lock_guard lock(device_.mutex_);
  for (const FaultQueue* queue : device_.queues_) {
    for (const Copy& copy : queue->in_flight_) {
      if (is_here(copy.source) || is_here(copy.destination)) {
        ++device_.misuse_;
        return;
      }
    }
  }
}

Status FaultDevice::enter(const char* call) {
  if (calls_++ != fail_at_) return {};
  fired_ = true;
  return make_error(Code::kDeviceError, std::string("injected fault in ") + call);
}

Result<std::unique_ptr<StagingBuffer>> FaultDevice::allocate_staging(std::uint64_t bytes) {
  INGOT_RETURN_IF_ERROR(enter("allocate_staging"));
  const std::lock_guard lock(staging_mutex_);  // of two, one gets the last of it
  if (bytes > staging_limit_ - std::min<std::uint64_t>(staging_, staging_limit_)) {
    return make_error(Code::kResourceExhausted, "no more memory can be page-locked");
  }
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<StagingBuffer> base, base_.allocate_staging(bytes));
  return {std::make_unique<FaultStaging>(*this, std::move(base))};
}

Result<std::unique_ptr<CopyQueue>> FaultDevice::open_queue() {
  INGOT_RETURN_IF_ERROR(enter("open_queue"));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<CopyQueue> base, base_.open_queue());
  return {std::make_unique<FaultQueue>(*this, std::move(base))};
}

Status FaultDevice::check_destination(const DeviceSpan& span) {
  INGOT_RETURN_IF_ERROR(enter("check_destination"));
  return base_.check_destination(span);
}

Result<std::unique_ptr<HostRegistration>> FaultDevice::register_host(
    std::span<const std::byte> bytes) {
  INGOT_RETURN_IF_ERROR(enter("register_host"));
  return base_.register_host(bytes);
}

Status FaultDevice::digest(std::span<const DeviceSpan> ranges, std::span<Digest128> digests) {
  INGOT_RETURN_IF_ERROR(enter("digest"));
  return base_.digest(ranges, digests);
}

}  // namespace ingot::testing
