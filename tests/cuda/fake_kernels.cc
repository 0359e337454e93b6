// The digest kernels on the double: the emulation, when the stream comes to it.
#include <mutex>
#include <vector>

#include "cuda/digest_kernel.h"
#include "tests/cuda/digest_on_host.h"
#include "tests/cuda/fake_runtime.h"

namespace ingot::gpu {
namespace {

using testing::FakeRuntime;
using testing::StreamPointer;

// The launch as the host sees it. Its pointers are null where there is no memory; the context has
// ended then.
struct HostLaunch {
  std::vector<DigestItem> items;
  DigestLaunch launch;
};

template <typename T>
T* host(T* device, std::uint64_t count) {
  if (FakeRuntime::get().broken() != cudaSuccess) return nullptr;
  return reinterpret_cast<T*>(FakeRuntime::get().shadow(device, count * sizeof(T)));
}

HostLaunch on_host(const DigestLaunch& device) {
  HostLaunch result{.items = {}, .launch = device};
  const DigestItem* items = host(device.items, device.item_count);
  result.launch.sums = host(device.sums, std::uint64_t{device.groups} * kGroupSums);
  result.launch.carried_in = host(device.carried_in, xxh3::kLanes);
  result.launch.carried_out = host(device.carried_out, xxh3::kLanes);
  result.launch.digests = host(device.digests, 2 * std::uint64_t{device.item_count});
  if (items == nullptr) return result;
  result.items.assign(items, items + device.item_count);
  for (DigestItem& item : result.items) {
    if (item.bytes > 0) item.data = host(item.data, item.bytes);
  }
  result.launch.items = result.items.data();
  return result;
}

cudaError_t launch(const char* name, const DigestLaunch& launch, cudaStream_t handle,
                   void (*kernel)(const DigestLaunch&)) {
  FakeRuntime& runtime = FakeRuntime::get();
  const std::lock_guard lock(runtime.mutex);
  if (const cudaError_t error = runtime.enter(name); error != cudaSuccess) return error;
  const StreamPointer stream = runtime.stream(handle);
  if (!stream || stream->device != FakeRuntime::current_device()) {
    return runtime.violate("a kernel on a stream of another device",
                           cudaErrorInvalidResourceHandle);
  }
  runtime.give(stream, {.run =
                            [launch, kernel] {
                              const HostLaunch found = on_host(launch);
                              if (FakeRuntime::get().broken() == cudaSuccess) kernel(found.launch);
                            },
                        .memory = {}});
  return cudaSuccess;
}

}  // namespace

cudaError_t launch_block_sums(const DigestLaunch& arguments, cudaStream_t stream) {
  if (arguments.groups == 0) return cudaSuccess;
  return launch("block sums", arguments, stream, testing::block_sums_on_host);
}

cudaError_t launch_chains(const DigestLaunch& arguments, cudaStream_t stream) {
  if (arguments.item_count == 0) return cudaSuccess;
  return launch("chains", arguments, stream, testing::chains_on_host);
}

}  // namespace ingot::gpu
