// Verify every byte, nothing of it in the page cache. Ceiling: the best sequential O_DIRECT read.
#include <cstdio>
#include <memory>
#include <span>

#include "ingot/digest.h"

#include "bench/support/direct_io.h"
#include "bench/support/file_read.h"
#include "bench/support/files.h"
#include "bench/support/input.h"
#include "bench/support/options.h"
#include "bench/support/page_cache.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"
#include "bench/support/verify_run.h"

namespace ingot::bench {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// The ceiling's reads, each block hashed as it arrives, on one thread; none of Ingot's code.
void read_and_hash(benchmark::State& state, const std::string& path, const DirectIoShape& io) {
  for (auto _ : state) {
    if (!make_cold(path)) return state.SkipWithError("not all of the file left the page cache");
    std::uint64_t sum = 0;
    state.SetIterationTime(read_direct(
        path, io, [&](std::span<const std::byte> block) { sum += digest_of(block).low; }));
    benchmark::DoNotOptimize(sum);
    state.SetBytesProcessed(static_cast<std::int64_t>(residency(path).total));
  }
}

void read_whole(benchmark::State& state, const std::string& path, const DirectIoShape& io) {
  for (auto _ : state) {
    if (!make_cold(path)) return state.SkipWithError("not all of the file left the page cache");
    Usage usage;
    state.SetIterationTime(read_direct(path, io));
    usage.report(state);
    state.SetBytesProcessed(static_cast<std::int64_t>(residency(path).total));
  }
}

// Through the page cache, nothing done with it.
void read_by_calls(benchmark::State& state, const std::string& path) {
  for (auto _ : state) {
    if (!make_cold(path)) return state.SkipWithError("not all of the file left the page cache");
    state.SetIterationTime(read_buffered(path, options().threads));
    state.SetBytesProcessed(static_cast<std::int64_t>(residency(path).total));
  }
}

void add(const Shape& shape) {
  const auto input = std::make_shared<Input>(shape);
  const auto empty = std::make_shared<Input>(without_bytes(shape));
  auto add_verify = [&](const char* contender, ReadPath read) {
    add_benchmark("verify-cold", shape.name, contender, Repeat::kOnce,
                  [input, read](benchmark::State& state) {
                    run_verify(state, input->path(), read, options().threads, Cache::kCold);
                  });
  };
  add_verify("ingot", ReadPath::kFastest);
  add_verify("ingot-direct", ReadPath::kDirect);
  add_verify("ingot-read", ReadPath::kRead);
  add_verify("ingot-mapping", ReadPath::kMapping);
  add_benchmark(
      "verify-cold", shape.name, "part:metadata", Repeat::kOnce, [empty](benchmark::State& state) {
        run_verify(state, empty->path(), ReadPath::kDirect, options().threads, Cache::kCold);
        state.SetBytesProcessed(0);  // of a file without data a rate says nothing
      });
  // As Ingot's own: blocks of 1 MiB, 32 in flight.
  const DirectIoShape like{.block_bytes = kMiB, .depth = 32};
  add_benchmark(
      "verify-cold", shape.name, "part:direct-read+xxh3", Repeat::kOnce,
      [input, like](benchmark::State& state) { read_and_hash(state, input->path(), like); });
  add_benchmark("verify-cold", shape.name, "part:read-only", Repeat::kOnce,
                [input](benchmark::State& state) { read_by_calls(state, input->path()); });
  for (const DirectIoShape& io : kDirectIoShapes) {
    add_benchmark("verify-cold", shape.name, "ceiling:direct-read-" + io.name(), Repeat::kOnce,
                  [input, io](benchmark::State& state) { read_whole(state, input->path(), io); });
  }
}

void register_all() {
  if (!has_direct_io(cache_folder())) {
    std::fprintf(stderr, "verify-cold: no O_DIRECT here; nothing is measured\n");
    return;
  }
  if (options().quick) {
    add(decoder(8 * kMiB));
    return;
  }
  add(decoder(1024 * kMiB));
  add(decoder(4096 * kMiB));
  add(mixture_of_experts(2048 * kMiB));
  add(small_tensors(100'000));
  add(resnet50_with_adam());
  add(single_tensor(8192 * kMiB));
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  return ingot::bench::run_benchmarks(argc, argv, ingot::bench::register_all);
}
