#include "cuda/host_memory.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/error.h"
#include "cuda/device_guard.h"
#include "cuda/error.h"
#include "io/aligned_buffer.h"

namespace ingot::gpu {
namespace {

constexpr std::uint64_t kPage = 4096;

// A range that is registered, and unregistered with this object.
class Registered final : public HostRegistration {
 public:
  static Result<std::unique_ptr<Registered>> make(int ordinal, void* data, std::uint64_t bytes,
                                                  unsigned int flags) {
    DeviceGuard guard(ordinal);
    INGOT_RETURN_IF_ERROR(guard.status());
    INGOT_RETURN_IF_ERROR(check(cudaHostRegister(data, bytes, flags), "cudaHostRegister", ordinal));
    return std::unique_ptr<Registered>(new Registered(ordinal, data));
  }
  ~Registered() override {
    const DeviceGuard guard(ordinal_);
    ignore(cudaHostUnregister(data_));
  }

 private:
  Registered(int ordinal, void* data) : ordinal_(ordinal), data_(data) {}

  int ordinal_;
  void* data_;
};

class Staging final : public StagingBuffer {
 public:
  Staging(io::AlignedBuffer memory, std::unique_ptr<Registered> registered, std::uint64_t bytes)
      : memory_(std::move(memory)), registered_(std::move(registered)), bytes_(bytes) {}
  std::span<std::byte> bytes() const override { return memory_.bytes().first(bytes_); }

 private:
  io::AlignedBuffer memory_;
  std::unique_ptr<Registered> registered_;  // goes before the memory does
  std::uint64_t bytes_;
};

Result<int> attribute(cudaDeviceAttr which, int ordinal) {
  int value = 0;
  INGOT_RETURN_IF_ERROR(
      check(cudaDeviceGetAttribute(&value, which, ordinal), "cudaDeviceGetAttribute", ordinal));
  return value;
}

}  // namespace

Result<std::unique_ptr<StagingBuffer>> make_staging(int ordinal, std::uint64_t bytes) {
  const std::uint64_t size = std::max(bytes, kPage);
  INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer memory, io::AlignedBuffer::allocate(size));
  auto registered = Registered::make(ordinal, memory.data(), size, cudaHostRegisterPortable);
  if (!registered.ok()) {
    if (registered.status().code() != Code::kResourceExhausted) return registered.status();
    return make_error(Code::kResourceExhausted, "no page-locked memory for staging")
        .expected(human_bytes(size))
        .found(registered.status().message());
  }
  return std::unique_ptr<StagingBuffer>(
      std::make_unique<Staging>(std::move(memory), *std::move(registered), bytes));
}

Result<std::unique_ptr<HostRegistration>> register_pages(int ordinal,
                                                         std::span<const std::byte> bytes) {
  if (bytes.empty()) return Status(Code::kUnsupported, "there is nothing to page-lock in 0 bytes");
  INGOT_ASSIGN_OR_RETURN(const int read_only,
                         attribute(cudaDevAttrHostRegisterReadOnlySupported, ordinal));
  // Without the flag only memory that may be written to can be registered; the call finds out.
  const unsigned int flags =
      cudaHostRegisterPortable | (read_only != 0 ? cudaHostRegisterReadOnly : 0u);
  const std::size_t before = reinterpret_cast<std::uintptr_t>(bytes.data()) % kPage;
  const std::size_t whole = (before + bytes.size() + kPage - 1) / kPage * kPage;
  // The runtime takes memory that it may not write to by a pointer that says otherwise.
  void* begin = const_cast<std::byte*>(bytes.data()) - before;
  auto registered = Registered::make(ordinal, begin, whole, flags);
  if (registered.ok()) return std::unique_ptr<HostRegistration>(*std::move(registered));
  // That this memory cannot be page-locked is no fault of the device's: there are other ways.
  return make_error(Code::kUnsupported, "the GPU cannot copy from this memory directly")
      .found(registered.status().message());
}

}  // namespace ingot::gpu
