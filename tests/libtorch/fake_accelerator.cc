#include "tests/libtorch/fake_accelerator.h"

#include <ATen/EmptyTensor.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <utility>

namespace ingot::libtorch::testing {
namespace {

using torch::Tensor;

constexpr int kDevices = 2;

// ---- Streams: one a device ---------------------------------------------------------------------

struct LateStream {
  std::mutex mutex;
  std::deque<std::function<void()>> work;
};

LateStream& stream_of(torch::Device device) {
  static std::array<LateStream, kDevices> streams;
  return streams.at(static_cast<std::size_t>(device.index()));
}

void catch_up(torch::Device device) {
  LateStream& stream = stream_of(device);
  while (true) {
    std::function<void()> next;
    {
      const std::lock_guard lock(stream.mutex);
      if (stream.work.empty()) return;
      next = std::move(stream.work.front());
      stream.work.pop_front();
    }
    next();
  }
}

thread_local c10::DeviceIndex current_device = 0;

struct Guard final : c10::impl::DeviceGuardImplInterface {
  using Device = c10::Device;
  using Stream = c10::Stream;

  c10::DeviceType type() const override { return torch::kPrivateUse1; }
  Device exchangeDevice(Device device) const override {
    return accelerator(std::exchange(current_device, device.index()));
  }
  Device getDevice() const override { return accelerator(current_device); }
  void setDevice(Device device) const override { current_device = device.index(); }
  void uncheckedSetDevice(Device device) const noexcept override {
    current_device = device.index();
  }
  Stream getStream(Device device) const override { return Stream(Stream::DEFAULT, device); }
  Stream getDefaultStream(Device device) const override { return Stream(Stream::DEFAULT, device); }
  Stream exchangeStream(Stream stream) const override { return stream; }
  c10::DeviceIndex deviceCount() const noexcept override { return kDevices; }
  void synchronizeStream(const Stream& stream) const override { catch_up(stream.device()); }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

// ---- Memory ------------------------------------------------------------------------------------

struct Allocator final : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = std::aligned_alloc(512, (bytes + 512) / 512 * 512);
    return {data, data, &std::free, accelerator(current_device)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};
Allocator allocator;

c10::DispatchKeySet keys() { return c10::DispatchKeySet(c10::DispatchKey::PrivateUse1); }

// ---- Operations: a few here, all others in host memory and back
// ----------------------------------

std::atomic<int> copies{0};

// As memory lies, whatever streams have still to do.
Tensor as_memory(const Tensor& tensor) {
  return at::from_blob(tensor.data_ptr(), tensor.sizes(), tensor.strides(),
                       torch::TensorOptions(tensor.scalar_type()));
}

Tensor in_host(const Tensor& tensor) {
  if (tensor.device().is_cpu()) return tensor;
  catch_up(tensor.device());
  return as_memory(tensor);
}

Tensor empty(c10::IntArrayRef size, std::optional<at::ScalarType> type, std::optional<at::Layout>,
             std::optional<at::Device> device, std::optional<bool>,
             std::optional<at::MemoryFormat> format) {
  const c10::DeviceGuard guard(device.value_or(accelerator(current_device)));
  return at::detail::empty_generic(size, &allocator, keys(), type.value_or(at::kFloat), format);
}

Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride,
                     std::optional<at::ScalarType> type, std::optional<at::Layout>,
                     std::optional<at::Device> device, std::optional<bool>) {
  const c10::DeviceGuard guard(device.value_or(accelerator(current_device)));
  return at::detail::empty_strided_generic(size, stride, &allocator, keys(),
                                           type.value_or(at::kFloat));
}

Tensor copy_from(const Tensor& from, const Tensor& to, bool) {
  ++copies;
  if (from.device().is_cpu() && !to.is_contiguous()) {
    // As LibTorch's CUDA does it: read at once, put where it belongs by the stream.
    enqueue(to.device(),
            [to, read = from.to(to.scalar_type(), false, true)] { as_memory(to).copy_(read); });
    return to;
  }
  in_host(to).copy_(in_host(from));
  return to;
}

Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  return copy_from(from, to, false);
}

void by_the_host(const c10::OperatorHandle& operation, torch::jit::Stack* stack) {
  at::native::cpu_fallback(operation, stack);
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("_copy_from", &copy_from);
  library.impl("_copy_from_and_resize", &copy_from_and_resize);
  library.impl("as_strided", &at::native::as_strided_tensorimpl);
  library.impl("view", static_cast<Tensor (*)(const Tensor&, at::IntArrayRef)>(&at::native::view));
  library.impl("set_.source_Storage_storage_offset", &at::native::set_storage_cpu_);
}
TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&by_the_host>());
}

// ---- A Device of Ingot that looks on
// -------------------------------------------------------------

class CountedStaging final : public StagingBuffer {
 public:
  CountedStaging(std::unique_ptr<StagingBuffer> memory, std::atomic<std::uint64_t>& held)
      : memory_(std::move(memory)), held_(held) {}
  ~CountedStaging() override { held_ -= memory_->bytes().size(); }
  std::span<std::byte> bytes() const override { return memory_->bytes(); }

 private:
  std::unique_ptr<StagingBuffer> memory_;
  std::atomic<std::uint64_t>& held_;
};

class Spy final : public Device {
 public:
  Spy(std::shared_ptr<Asked> asked, bool broken) : asked_(std::move(asked)), broken_(broken) {}

  DeviceKind kind() const override { return DeviceKind::kOther; }
  std::string description() const override { return "an accelerator"; }
  Result<std::unique_ptr<StagingBuffer>> allocate_staging(std::uint64_t bytes) override {
    if (broken_) return Status(Code::kResourceExhausted, "no staging memory today");
    auto memory = host_->allocate_staging(bytes);
    if (!memory.ok()) return memory.status();
    held_ += (*memory)->bytes().size();
    const std::lock_guard lock(mutex_);
    asked_->staging_bytes = std::max<std::uint64_t>(asked_->staging_bytes, held_);
    return {std::make_unique<CountedStaging>(*std::move(memory), held_)};
  }
  Result<std::unique_ptr<DeviceBuffer>> allocate(std::uint64_t bytes) override {
    return host_->allocate(bytes);
  }
  Result<std::unique_ptr<CopyQueue>> open_queue() override {
    {
      const std::lock_guard lock(mutex_);
      ++asked_->queues;
    }
    return host_->open_queue();
  }
  Status check_destination(const DeviceSpan& span) override {
    return host_->check_destination(span);
  }
  Status digest(std::span<const DeviceSpan> ranges, std::span<Digest128> digests) override {
    {
      const std::lock_guard lock(mutex_);
      asked_->digests += ranges.size();
    }
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      digests[i] = digest_of({ranges[i].data, static_cast<std::size_t>(ranges[i].bytes)});
    }
    return {};
  }

 private:
  std::shared_ptr<Asked> asked_;
  const bool broken_;
  std::mutex mutex_;
  std::atomic<std::uint64_t> held_{0};
  std::unique_ptr<Device> host_ = make_host_device({.copies = HostCopies::kThreaded, .seed = 7});
};

}  // namespace

void enqueue(torch::Device device, std::function<void()> work) {
  LateStream& stream = stream_of(device);
  const std::lock_guard lock(stream.mutex);
  stream.work.push_back(std::move(work));
}

int copies_by_torch() { return copies.load(); }

DeviceProvider accelerator_devices(std::shared_ptr<Asked> asked, bool broken) {
  return [asked = std::move(asked), broken](torch::Device) -> std::shared_ptr<Device> {
    ++asked->devices;
    return std::make_shared<Spy>(asked, broken);
  };
}

}  // namespace ingot::libtorch::testing
