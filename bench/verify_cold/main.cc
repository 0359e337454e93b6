// Verify every byte, nothing of it in the page cache. Ceiling: the best sequential O_DIRECT read.
#include <cstdio>
#include <functional>
#include <memory>
#include <span>
#include <string>

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

// Seconds that a read of a file took that is not in the page cache.
using Read = std::function<double(const std::string& path)>;

void read_cold(benchmark::State& state, const std::string& path, const Read& read) {
  for (auto _ : state) {
    if (!make_cold(path)) return state.SkipWithError("not all of the file left the page cache");
    Usage usage;
    state.SetIterationTime(read(path));
    usage.report(state);
    state.SetBytesProcessed(static_cast<std::int64_t>(residency(path).total));
  }
}

// The ceiling's reads, each block hashed as it arrives, on one thread; none of Ingot's code.
double read_and_hash(const std::string& path, const DirectIoShape& io) {
  std::uint64_t sum = 0;
  const double seconds =
      read_direct(path, io, [&](std::span<const std::byte> block) { sum += digest_of(block).low; });
  benchmark::DoNotOptimize(sum);
  return seconds;
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
  auto add_read = [&](const std::string& contender, const Read& read) {
    add_benchmark(
        "verify-cold", shape.name, contender, Repeat::kOnce,
        [input, read](benchmark::State& state) { read_cold(state, input->path(), read); });
  };
  add_read("part:direct-read+xxh3",
           [like](const std::string& path) { return read_and_hash(path, like); });
  // Through the page cache, nothing done with it.
  add_read("part:read-only",
           [](const std::string& path) { return read_buffered(path, options().threads); });
  for (const DirectIoShape& io : kDirectIoShapes) {
    add_read("ceiling:direct-read-" + io.name(),
             [io](const std::string& path) { return read_direct(path, io); });
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
