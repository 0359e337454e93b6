// What a GPU does without storage: digests of its memory, beside its memory's bandwidth; and copies
// through pinned memory, the ceiling of every load and save. Needs a GPU.
#include <cuda_runtime_api.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "ingot/cuda.h"
#include "ingot/exceptions.h"

#include "bench/support/options.h"
#include "bench/support/run.h"

namespace ingot::bench {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}

std::uint64_t total_bytes() { return (options().quick ? 16 : 4096) * kMiB; }

// Current, too: the plain calls to the runtime are for it.
std::unique_ptr<gpu::CudaDevice> open_gpu() {
  check(cudaSetDevice(options().gpu));
  return or_throw(gpu::open_device({.ordinal = options().gpu}));
}

// Times what has been given to the default stream, by the GPU's clock.
template <typename Work>
double gpu_time_of(Work&& work) {
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  check(cudaEventCreate(&begin));
  check(cudaEventCreate(&end));
  check(cudaEventRecord(begin));
  work();
  check(cudaEventRecord(end));
  check(cudaEventSynchronize(end));
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begin, end));
  check(cudaEventDestroy(begin));
  check(cudaEventDestroy(end));
  return milliseconds / 1e3;
}

// Ranges of `each` bytes, as a file's chunks are.
void digest(benchmark::State& state, std::uint64_t each) {
  const auto gpu = open_gpu();
  const auto memory = or_throw(gpu->allocate(total_bytes()));
  check(cudaMemset(memory->span().data, 0x5A, total_bytes()));
  std::vector<DeviceSpan> ranges;
  for (std::uint64_t at = 0; at < total_bytes(); at += each) {
    ranges.push_back({memory->span().data + at, std::min(each, total_bytes() - at)});
  }
  std::vector<Digest128> digests(ranges.size());
  or_throw(gpu->digest(ranges, digests));  // the first one allocates
  for (auto _ : state) {
    state.SetIterationTime(time_of([&] { or_throw(gpu->digest(ranges, digests)); }));
    state.SetBytesProcessed(static_cast<std::int64_t>(total_bytes()));
  }
}

// Reads and writes every byte: twice the bytes go over the memory's bus.
void device_copy(benchmark::State& state) {
  const auto gpu = open_gpu();
  const auto memory = or_throw(gpu->allocate(total_bytes()));
  const std::uint64_t half = total_bytes() / 2;
  const auto copy = [&] {
    check(cudaMemcpyAsync(memory->span().data, memory->span().data + half, half,
                          cudaMemcpyDeviceToDevice));
  };
  gpu_time_of(copy);
  for (auto _ : state) {
    state.SetIterationTime(gpu_time_of(copy));
    state.SetBytesProcessed(static_cast<std::int64_t>(2 * half));
  }
}

void pinned_copy(benchmark::State& state, cudaMemcpyKind direction) {
  const std::uint64_t bytes = std::min(total_bytes(), 1024 * kMiB);
  const auto gpu = open_gpu();
  const auto there = or_throw(gpu->allocate(bytes));
  const auto here = or_throw(gpu->allocate_staging(bytes));
  const bool down = direction == cudaMemcpyDeviceToHost;
  void* to = down ? static_cast<void*>(here->bytes().data()) : there->span().data;
  const void* from = down ? static_cast<const void*>(there->span().data) : here->bytes().data();
  const auto copy = [&] { check(cudaMemcpyAsync(to, from, bytes, direction)); };
  gpu_time_of(copy);
  for (auto _ : state) {
    state.SetIterationTime(gpu_time_of(copy));
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  }
}

void register_all() {
  for (const auto& [shape, each] :
       {std::pair("chunks-64KiB", 64 * kMiB / 1024), std::pair("chunks-1MiB", kMiB),
        std::pair("chunks-4MiB", 4 * kMiB)}) {
    add_benchmark("gpu-digest", shape, "ingot", Repeat::kAdaptive,
                  [each = each](benchmark::State& state) { digest(state, each); });
    add_benchmark("gpu-digest", shape, "ceiling:device-copy", Repeat::kAdaptive, device_copy);
  }
  add_benchmark("gpu-copy", "to-device", "ceiling:pinned-copy", Repeat::kAdaptive,
                [](benchmark::State& state) { pinned_copy(state, cudaMemcpyHostToDevice); });
  add_benchmark("gpu-copy", "from-device", "ceiling:pinned-copy", Repeat::kAdaptive,
                [](benchmark::State& state) { pinned_copy(state, cudaMemcpyDeviceToHost); });
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  return ingot::bench::run_benchmarks(argc, argv, ingot::bench::register_all);
}
