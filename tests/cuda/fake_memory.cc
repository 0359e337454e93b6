// The double's memory: allocations, registrations, copies.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/cuda/fake_runtime.h"

namespace ingot::gpu::testing {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kAligned = 256;  // all that cudaMalloc promises

std::uint64_t reserved_bytes(std::uint64_t bytes) {
  return (bytes + kAligned + kPage - 1) / kPage * kPage;
}

bool holds(const FakeMemory& memory, const std::byte* at, std::uint64_t bytes) {
  return at >= memory.begin && bytes <= memory.bytes &&
         static_cast<std::uint64_t>(at - memory.begin) <= memory.bytes - bytes;
}

bool touches(const FakeMemory& memory, const std::byte* at, std::uint64_t bytes) {
  return at < memory.begin + memory.bytes && memory.begin < at + bytes;
}

enum class Access { kNone, kReadOnly, kReadWrite };

// Of all pages of the range, the least.
Access access_to(const std::byte* at, std::uint64_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(at);
  std::uintptr_t covered = begin;
  Access access = Access::kReadWrite;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; covered < begin + bytes && std::getline(maps, line);) {
    std::istringstream fields(line);
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    char dash = 0;
    std::string rights;
    fields >> std::hex >> from >> dash >> to >> rights;
    if (to <= covered) continue;
    if (from > covered || rights[0] != 'r') return Access::kNone;
    if (rights[1] != 'w') access = Access::kReadOnly;
    covered = to;
  }
  return covered < begin + bytes ? Access::kNone : access;
}

template <typename Memories>
FakeMemory* holding(Memories& memories, const void* pointer, std::uint64_t bytes) {
  const auto* at = static_cast<const std::byte*>(pointer);
  for (auto& memory : memories) {
    if (holds(*memory, at, bytes)) return memory.get();
  }
  return nullptr;
}

}  // namespace

cudaError_t FakeRuntime::allocate(void** pointer, std::uint64_t bytes) {
  const int device = current_device();
  contexts.insert(device);
  if (bytes > options.device_bytes - used(device)) return set_last(cudaErrorMemoryAllocation);
  void* reserved =
      mmap(nullptr, reserved_bytes(bytes), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto memory = std::make_unique<FakeMemory>();
  *memory = {.id = ++last_id_,
             .device = device,
             .begin = static_cast<std::byte*>(reserved) + kAligned,
             .bytes = bytes,
             .shadow = std::vector<std::byte>(bytes, std::byte{0xA5})};
  *pointer = memory->begin;
  allocations_.push_back(std::move(memory));
  return cudaSuccess;
}

cudaError_t FakeRuntime::free(void* pointer) {
  for (auto memory = allocations_.begin(); memory != allocations_.end(); ++memory) {
    if ((*memory)->begin != pointer) continue;
    if (in_use((*memory)->id)) violate("memory is freed before work that names it is done", {});
    munmap((*memory)->begin - kAligned, reserved_bytes((*memory)->bytes));
    allocations_.erase(memory);
    return cudaSuccess;
  }
  return violate("cudaFree of something else", cudaErrorInvalidValue);
}

cudaError_t FakeRuntime::enlist(void* pointer, std::uint64_t bytes, unsigned int flags) {
  auto* at = static_cast<std::byte*>(pointer);
  const bool read_only = (flags & cudaHostRegisterReadOnly) != 0;
  if (read_only && !options.read_only_registration) return set_last(cudaErrorNotSupported);
  const Access access = access_to(at, bytes);
  if (access == Access::kNone || (access == Access::kReadOnly && !read_only)) {
    return set_last(cudaErrorInvalidValue);
  }
  for (const auto& memory : registrations_) {
    if (touches(*memory, at, bytes)) return set_last(cudaErrorHostMemoryAlreadyRegistered);
  }
  auto memory = std::make_unique<FakeMemory>();
  *memory = {.id = ++last_id_, .begin = at, .bytes = bytes, .flags = flags, .shadow = {}};
  registrations_.push_back(std::move(memory));
  return cudaSuccess;
}

cudaError_t FakeRuntime::delist(void* pointer) {
  for (auto memory = registrations_.begin(); memory != registrations_.end(); ++memory) {
    if ((*memory)->begin != pointer) continue;
    if (in_use((*memory)->id)) {
      violate("memory is unregistered before work that names it is done", {});
    }
    registrations_.erase(memory);
    return cudaSuccess;
  }
  return violate("cudaHostUnregister of something else", cudaErrorHostMemoryNotRegistered);
}

FakeMemory* FakeRuntime::allocation_at(const void* pointer, std::uint64_t bytes) {
  return holding(allocations_, pointer, bytes);
}

FakeMemory* FakeRuntime::registration_at(const void* pointer, std::uint64_t bytes) {
  return holding(registrations_, pointer, bytes);
}

std::byte* FakeRuntime::shadow(const void* pointer, std::uint64_t bytes) {
  FakeMemory* memory = allocation_at(pointer, bytes);
  if (memory == nullptr) {
    violate("a kernel reads or writes where there is no memory", {});
    end_context(cudaErrorIllegalAddress);
    return nullptr;
  }
  return memory->shadow.data() + (static_cast<const std::byte*>(pointer) - memory->begin);
}

std::uint64_t FakeRuntime::used(int device) const {
  std::uint64_t sum = 0;
  for (const auto& memory : allocations_) sum += memory->device == device ? memory->bytes : 0;
  return sum;
}

bool FakeRuntime::exists(std::uint64_t id) const {
  const auto is = [id](const auto& memory) { return memory->id == id; };
  return std::any_of(allocations_.begin(), allocations_.end(), is) ||
         std::any_of(registrations_.begin(), registrations_.end(), is);
}

// All rows in one registration, or none of them in any.
cudaError_t FakeRuntime::check_host_side(const FakeSide& side, const FakeCopy& copy,
                                         FakeMemory** found) {
  const std::uint64_t extent = (copy.rows - 1) * side.pitch + copy.width;
  *found = registration_at(side.at, extent);
  for (const auto& memory : allocations_) {
    if (touches(*memory, side.at, extent)) {
      return violate("device memory is the host's side of a copy", cudaErrorInvalidMemcpyDirection);
    }
  }
  if (*found != nullptr) return cudaSuccess;
  for (const auto& memory : registrations_) {
    if (touches(*memory, side.at, extent)) {
      return violate("a copy across the end of page-locked memory", cudaErrorInvalidValue);
    }
  }
  return cudaSuccess;
}

cudaError_t FakeRuntime::copy(const FakeCopy& copy, cudaStream_t handle) {
  const StreamPointer on = stream(handle);
  if (!on) return violate("a copy on no stream", cudaErrorInvalidResourceHandle);
  const bool to_device = copy.kind == cudaMemcpyHostToDevice;
  if (!to_device && copy.kind != cudaMemcpyDeviceToHost) return set_last(cudaErrorInvalidValue);
  const FakeSide& device_side = to_device ? copy.destination : copy.source;
  const FakeSide& host_side = to_device ? copy.source : copy.destination;
  const FakeMemory* device =
      allocation_at(device_side.at, (copy.rows - 1) * device_side.pitch + copy.width);
  if (device == nullptr) return set_last(cudaErrorInvalidValue);
  FakeMemory* pinned = nullptr;
  if (const cudaError_t error = check_host_side(host_side, copy, &pinned); error != cudaSuccess) {
    return error;
  }
  if (pinned != nullptr && !to_device && (pinned->flags & cudaHostRegisterReadOnly) != 0) {
    return violate("a copy into memory that is registered for reading", cudaErrorInvalidValue);
  }
  FakeWork work{.run = [this, copy] { perform(copy); }, .memory = {device->id}};
  if (pinned != nullptr) {
    work.memory.push_back(pinned->id);
  } else if (to_device) {
    // Pageable memory is read before the call returns, and may arrive later.
    auto staged = std::make_shared<std::vector<std::byte>>(
        copy.source.at, copy.source.at + (copy.rows - 1) * copy.source.pitch + copy.width);
    FakeCopy from_staged = copy;
    from_staged.source.at = staged->data();
    work.run = [this, from_staged, staged] { perform(from_staged); };
  }
  give(on, std::move(work));
  // Into pageable memory: the call returns when it is done.
  if (pinned == nullptr && !to_device) run_all(*on);
  return cudaSuccess;
}

void FakeRuntime::perform(const FakeCopy& copy) {
  for (std::uint64_t row = 0; row < copy.rows; ++row) {
    std::byte* to = copy.destination.at + row * copy.destination.pitch;
    const std::byte* from = copy.source.at + row * copy.source.pitch;
    if (copy.kind == cudaMemcpyHostToDevice) {
      std::memcpy(shadow(to, copy.width), from, copy.width);
    } else {
      std::memcpy(to, shadow(from, copy.width), copy.width);
    }
  }
}

}  // namespace ingot::gpu::testing
