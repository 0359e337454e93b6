// The Device of one GPU, and the finding of GPUs.
#include <cuda_runtime_api.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "ingot/cuda.h"

#include "base/error.h"
#include "cuda/cufile.h"
#include "cuda/device_guard.h"
#include "cuda/device_memory.h"
#include "cuda/digester.h"
#include "cuda/error.h"
#include "cuda/handles.h"
#include "cuda/host_memory.h"
#include "cuda/stream_queue.h"

namespace ingot::gpu {
namespace {

struct Facts {
  int ordinal = 0;
  std::string description;
  std::uint64_t largest_pitch = 0;
};

class RuntimeDevice final : public CudaDevice {
 public:
  RuntimeDevice(Facts facts, std::uint64_t digest_scratch_bytes)
      : facts_(std::move(facts)), digest_scratch_bytes_(digest_scratch_bytes) {}

  DeviceKind kind() const override { return DeviceKind::kCuda; }
  int ordinal() const override { return facts_.ordinal; }
  std::string description() const override { return facts_.description; }

  Result<std::unique_ptr<StagingBuffer>> allocate_staging(std::uint64_t bytes) override {
    return make_staging(facts_.ordinal, bytes);
  }
  Result<std::unique_ptr<DeviceBuffer>> allocate(std::uint64_t bytes) override {
    return allocate_on(facts_.ordinal, bytes);
  }
  Status check_destination(const DeviceSpan& span) override {
    return check_is_on(facts_.ordinal, span);
  }
  Result<std::unique_ptr<HostRegistration>> register_host(
      std::span<const std::byte> bytes) override {
    return register_pages(facts_.ordinal, bytes);
  }

  Result<std::unique_ptr<CopyQueue>> open_queue() override {
    INGOT_ASSIGN_OR_RETURN(auto queue, open_cuda_queue());
    return std::unique_ptr<CopyQueue>(std::move(queue));
  }
  Result<std::unique_ptr<CudaQueue>> open_cuda_queue() override;
  Status start_after(StreamHandle stream) override;
  Result<std::unique_ptr<DeviceFile>> open_file(int descriptor) override;
  Status digest(std::span<const DeviceSpan> ranges, std::span<Digest128> digests) override;

 private:
  const Facts facts_;
  const std::uint64_t digest_scratch_bytes_;
  std::mutex mutex_;            // of start_
  std::optional<Event> start_;  // what start_after() recorded
  std::mutex digest_mutex_;     // of digester_; taken before the other
  std::unique_ptr<Digester> digester_;
};

Result<std::unique_ptr<CudaQueue>> RuntimeDevice::open_cuda_queue() {
  INGOT_ASSIGN_OR_RETURN(auto queue, StreamQueue::open(facts_.ordinal, facts_.largest_pitch));
  const std::lock_guard lock(mutex_);
  if (start_) INGOT_RETURN_IF_ERROR(queue->start_after(*start_));
  return std::unique_ptr<CudaQueue>(std::move(queue));
}

Status RuntimeDevice::start_after(StreamHandle stream) {
  DeviceGuard guard(facts_.ordinal);
  INGOT_RETURN_IF_ERROR(guard.status());
  const std::lock_guard lock(mutex_);
  if (!start_) {
    INGOT_ASSIGN_OR_RETURN(Event event, Event::create(facts_.ordinal));
    start_.emplace(std::move(event));
  }
  return start_->record(stream);
}

// What cuFile reads is in no stream: that the caller's has come so far is waited for here.
Result<std::unique_ptr<DeviceFile>> RuntimeDevice::open_file(int descriptor) {
  {
    const std::lock_guard lock(mutex_);
    if (start_) INGOT_RETURN_IF_ERROR(start_->wait());
  }
  return open_cufile(facts_.ordinal, descriptor);
}

Status RuntimeDevice::digest(std::span<const DeviceSpan> ranges, std::span<Digest128> digests) {
  if (ranges.size() != digests.size()) {
    return make_error(Code::kInvalidArgument, "ranges and digests are not equally many")
        .expected(ranges.size())
        .found(digests.size());
  }
  const std::lock_guard digest_lock(digest_mutex_);
  if (!digester_) {
    INGOT_ASSIGN_OR_RETURN(digester_, Digester::create(facts_.ordinal, digest_scratch_bytes_));
  }
  {
    const std::lock_guard lock(mutex_);
    if (start_) INGOT_RETURN_IF_ERROR(digester_->start_after(*start_));
  }
  return digester_->digest(ranges, digests);
}

// cudaSuccess with a count of 0 where there is no GPU or no driver.
cudaError_t count_devices(int& count, cudaError_t& reason) {
  reason = cudaGetDeviceCount(&count);
  ignore(reason);
  if (reason == cudaSuccess) return cudaSuccess;
  count = 0;
  const bool none = reason == cudaErrorNoDevice || reason == cudaErrorInsufficientDriver;
  return none ? cudaSuccess : reason;
}

Result<Facts> facts_of(int ordinal) {
  cudaDeviceProp properties{};
  INGOT_RETURN_IF_ERROR(
      check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties", ordinal));
  return Facts{.ordinal = ordinal,
               .description = device_name(ordinal) + " (" + properties.name + ", " +
                              human_bytes(properties.totalGlobalMem) + ")",
               .largest_pitch = properties.memPitch};
}

}  // namespace

Result<int> device_count() {
  int count = 0;
  cudaError_t reason = cudaSuccess;
  INGOT_RETURN_IF_ERROR(check(count_devices(count, reason), "cudaGetDeviceCount", 0));
  return count;
}

Result<std::unique_ptr<CudaDevice>> open_device(const CudaOptions& options) {
  int count = 0;
  cudaError_t reason = cudaSuccess;
  INGOT_RETURN_IF_ERROR(check(count_devices(count, reason), "cudaGetDeviceCount", options.ordinal));
  if (count == 0) {
    return make_error(Code::kUnsupported, "no GPU can be used through CUDA")
        .found(reason == cudaSuccess ? "none" : error_text(reason));
  }
  if (options.ordinal < 0 || options.ordinal >= count) {
    return make_error(Code::kInvalidArgument, "there is no " + device_name(options.ordinal))
        .expected("0 to " + std::to_string(count - 1))
        .found(std::to_string(options.ordinal));
  }
  DeviceGuard guard(options.ordinal);  // creates the context
  INGOT_RETURN_IF_ERROR(guard.status());
  INGOT_ASSIGN_OR_RETURN(Facts facts, facts_of(options.ordinal));
  return std::unique_ptr<CudaDevice>(
      std::make_unique<RuntimeDevice>(std::move(facts), options.digest_scratch_bytes));
}

}  // namespace ingot::gpu
