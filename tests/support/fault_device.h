// Forwards to another device and makes the Nth call fail. Counts what is alive, and notices staging
// memory that is freed while a copy may still read it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "ingot/device.h"

namespace ingot::testing {

class FaultQueue;

// Thread-safe as a device is. Does not own `base`.
class FaultDevice final : public Device {
 public:
  explicit FaultDevice(Device& base) : base_(base) {}

  void fail_call(std::uint64_t number) {
    fail_at_ = number;
    calls_ = 0;
    fired_ = false;
  }
  // The n-th copy, from 0, arrives with one bit flipped. `base` copies at once.
  void damage_copy(std::uint64_t number) {
    damage_at_ = number;
    copies_ = 0;
  }
  std::uint64_t copies() const { return copies_; }
  // Called at the begin of every drain(), from its thread.
  std::function<void()> on_drain;
  // No more staging memory than this at one time: kResourceExhausted.
  void limit_staging(std::uint64_t bytes) { staging_limit_ = bytes; }
  bool fired() const { return fired_; }
  std::uint64_t calls() const { return calls_; }
  int alive() const { return alive_; }             // staging buffers and queues
  int freed_in_flight() const { return misuse_; }  // staging that went while a copy was in flight
  std::uint64_t peak_staging() const { return peak_staging_; }

  DeviceKind kind() const override { return base_.kind(); }
  std::string description() const override { return base_.description(); }
  bool host_accessible() const override { return base_.host_accessible(); }
  Result<std::unique_ptr<StagingBuffer>> allocate_staging(std::uint64_t bytes) override;
  Result<std::unique_ptr<DeviceBuffer>> allocate(std::uint64_t bytes) override {
    return base_.allocate(bytes);
  }
  Result<std::unique_ptr<CopyQueue>> open_queue() override;
  Status check_destination(const DeviceSpan& span) override;
  Result<std::unique_ptr<HostRegistration>> register_host(
      std::span<const std::byte> bytes) override;
  Status digest(std::span<const DeviceSpan> ranges, std::span<Digest128> digests) override;

 private:
  friend class FaultQueue;
  friend class FaultStaging;
  // kDeviceError when it is this call's turn.
  Status enter(const char* call);

  Device& base_;
  std::atomic<std::uint64_t> fail_at_{~std::uint64_t{0}};
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<std::uint64_t> damage_at_{~std::uint64_t{0}};
  std::atomic<std::uint64_t> copies_{0};
  std::atomic<bool> fired_{false};
  std::atomic<int> alive_{0};

  std::atomic<int> misuse_{0};
  std::mutex mutex_;  // guards what follows, and what queues have in flight
  std::vector<FaultQueue*> queues_;
  std::atomic<std::uint64_t> staging_{0};
  std::atomic<std::uint64_t> peak_staging_{0};
  std::mutex staging_mutex_;
  std::atomic<std::uint64_t> staging_limit_{~std::uint64_t{0}};
};

}  // namespace ingot::testing
