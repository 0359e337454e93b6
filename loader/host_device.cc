// The host as a device: destinations are ordinary memory.
#include <atomic>
#include <utility>

#include "ingot/device.h"

#include "base/error.h"
#include "io/aligned_buffer.h"
#include "loader/host_queues.h"

namespace ingot {
namespace {

class HostStaging final : public StagingBuffer {
 public:
  explicit HostStaging(io::AlignedBuffer memory) : memory_(std::move(memory)) {}
  std::span<std::byte> bytes() const override { return memory_.bytes(); }

 private:
  io::AlignedBuffer memory_;
};

class HostBuffer final : public DeviceBuffer {
 public:
  explicit HostBuffer(io::AlignedBuffer memory) : memory_(std::move(memory)) {}
  DeviceSpan span() const override { return {memory_.data(), memory_.size()}; }

 private:
  io::AlignedBuffer memory_;
};

class HostDevice final : public Device {
 public:
  explicit HostDevice(const HostDeviceOptions& options) : options_(options) {}

  DeviceKind kind() const override { return DeviceKind::kHost; }
  std::string description() const override {
    switch (options_.copies) {
      case HostCopies::kEager:
        return options_.through_staging ? "host, through staging" : "host";
      case HostCopies::kDeferred:
        return "host, deferred copies";
      case HostCopies::kThreaded:
        return "host, threaded copies";
    }
    return "host";
  }
  bool host_accessible() const override {
    return options_.copies == HostCopies::kEager && !options_.through_staging;
  }

  Result<std::unique_ptr<StagingBuffer>> allocate_staging(std::uint64_t bytes) override {
    INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer memory, io::AlignedBuffer::allocate(bytes));
    return {std::make_unique<HostStaging>(std::move(memory))};
  }
  Result<std::unique_ptr<DeviceBuffer>> allocate(std::uint64_t bytes) override {
    INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer memory,
                           io::AlignedBuffer::allocate(bytes, io::MemoryUse::kContent));
    return {std::make_unique<HostBuffer>(std::move(memory))};
  }

  Result<std::unique_ptr<CopyQueue>> open_queue() override {
    switch (options_.copies) {
      case HostCopies::kEager:
        break;
      case HostCopies::kDeferred:
        return loader::make_deferred_queue();
      case HostCopies::kThreaded:
        return loader::make_threaded_queue(options_.seed + queues_++);
    }
    return loader::make_eager_queue();
  }

  Status check_destination(const DeviceSpan& span) override {
    if (span.data != nullptr || span.bytes == 0) return {};
    return make_error(Code::kInvalidArgument, "a destination without memory")
        .expected(human_bytes(span.bytes))
        .found("a null pointer");
  }

  // Memory of this process is what the host copies from anyway.
  Result<std::unique_ptr<HostRegistration>> register_host(std::span<const std::byte>) override {
    return {std::make_unique<HostRegistration>()};
  }

  Status digest(std::span<const DeviceSpan> ranges, std::span<Digest128> digests) override {
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      digests[i] = digest_of({ranges[i].data, static_cast<std::size_t>(ranges[i].bytes)});
    }
    return {};
  }

 private:
  const HostDeviceOptions options_;
  std::atomic<std::uint64_t> queues_{0};  // so far: no two have the same delays
};

}  // namespace

std::unique_ptr<Device> make_host_device(const HostDeviceOptions& options) {
  return std::make_unique<HostDevice>(options);
}

Device& host_device() {
  static HostDevice device{HostDeviceOptions{}};
  return device;
}

}  // namespace ingot
