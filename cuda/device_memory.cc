#include "cuda/device_memory.h"

#include <cuda_runtime_api.h>

#include <string>

#include "base/checked.h"
#include "base/error.h"
#include "cuda/device_guard.h"
#include "cuda/error.h"

namespace ingot::gpu {
namespace {

class Buffer final : public DeviceBuffer {
 public:
  Buffer(int ordinal, DeviceSpan span) : ordinal_(ordinal), span_(span) {}
  ~Buffer() override {
    if (span_.data == nullptr) return;
    const DeviceGuard guard(ordinal_);
    ignore(cudaFree(span_.data));
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  DeviceSpan span() const override { return span_; }

 private:
  int ordinal_;
  DeviceSpan span_;
};

std::string free_memory() {
  std::size_t free = 0;
  std::size_t total = 0;
  const cudaError_t error = cudaMemGetInfo(&free, &total);
  ignore(error);
  if (error != cudaSuccess) return "an unknown amount of free memory";
  return human_bytes(free) + " free of " + human_bytes(total);
}

std::string kind_of_memory(const cudaPointerAttributes& attributes) {
  switch (attributes.type) {
    case cudaMemoryTypeHost:
      return "page-locked host memory";
    case cudaMemoryTypeDevice:
      return "memory of " + device_name(attributes.device);
    case cudaMemoryTypeManaged:
      return "managed memory";
    case cudaMemoryTypeUnregistered:
      return "memory that CUDA does not know (the host's?)";
  }
  return "memory of an unknown kind";
}

Status check_byte(int ordinal, const std::byte* at, std::string_view which) {
  cudaPointerAttributes attributes{};
  INGOT_RETURN_IF_ERROR(
      check(cudaPointerGetAttributes(&attributes, at), "cudaPointerGetAttributes", ordinal));
  if (attributes.type == cudaMemoryTypeManaged) return {};
  if (attributes.type == cudaMemoryTypeDevice && attributes.device == ordinal) return {};
  return make_error(Code::kInvalidArgument,
                    "the " + std::string(which) + " byte of a destination is elsewhere")
      .expected("memory of " + device_name(ordinal))
      .found(kind_of_memory(attributes) + " at " + hex(reinterpret_cast<std::uintptr_t>(at)));
}

}  // namespace

Result<std::unique_ptr<DeviceBuffer>> allocate_on(int ordinal, std::uint64_t bytes) {
  void* data = nullptr;
  if (bytes > 0) {
    DeviceGuard guard(ordinal);
    INGOT_RETURN_IF_ERROR(guard.status());
    const cudaError_t error = cudaMalloc(&data, bytes);
    if (error == cudaErrorMemoryAllocation) {
      ignore(error);
      return make_error(Code::kResourceExhausted, "no memory on " + device_name(ordinal))
          .expected(human_bytes(bytes))
          .found(free_memory());
    }
    INGOT_RETURN_IF_ERROR(check(error, "cudaMalloc", ordinal));
  }
  return std::unique_ptr<DeviceBuffer>(
      std::make_unique<Buffer>(ordinal, DeviceSpan{static_cast<std::byte*>(data), bytes}));
}

Status check_is_on(int ordinal, const DeviceSpan& span) {
  if (span.bytes == 0) return {};
  std::uint64_t end = 0;
  if (span.data == nullptr ||
      !checked_add(std::uint64_t{reinterpret_cast<std::uintptr_t>(span.data)}, span.bytes, &end)) {
    return make_error(Code::kInvalidArgument, "a destination is no range of memory")
        .found(human_bytes(span.bytes) + " at " + hex(reinterpret_cast<std::uintptr_t>(span.data)));
  }
  INGOT_RETURN_IF_ERROR(check_byte(ordinal, span.data, "first"));
  return check_byte(ordinal, span.data + (span.bytes - 1), "last");
}

}  // namespace ingot::gpu
