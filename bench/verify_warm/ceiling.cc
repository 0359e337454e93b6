#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>

#include "ingot/digest.h"

#include "bench/support/descriptor.h"
#include "bench/support/file_read.h"
#include "bench/support/memory_read.h"
#include "bench/support/page_cache.h"
#include "bench/support/run.h"
#include "bench/verify_warm/verify_warm.h"

namespace ingot::bench {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::uint64_t hash_part(std::span<const std::byte> part) { return digest_of(part).low; }

using Visit = std::uint64_t (*)(std::span<const std::byte>);

// Sums or hashes the mapped file, whose pages are all there, in parts handed to threads in turn.
void visit_mapped(benchmark::State& state, const WarmFile& file, std::size_t part_bytes,
                  Visit visit) {
  MappedFile mapped(file.input->warm_path());
  for (auto _ : state) {
    std::uint64_t sum = 0;
    state.SetIterationTime(
        time_of([&] { sum = sum_parallel(mapped.bytes(), part_bytes, file.threads, visit); }));
    benchmark::DoNotOptimize(sum);
    state.SetBytesProcessed(static_cast<std::int64_t>(mapped.bytes().size()));
  }
}

bool can_populate() {
  const Memory page(4096);
  return madvise(page.data(), 4096, MADV_POPULATE_READ) == 0;  // since Linux 5.14
}

// Maps the file and makes its page tables, in parts handed to threads in turn, and reads nothing.
void map_only(benchmark::State& state, const WarmFile& file) {
  const Descriptor descriptor(file.input->warm_path(), O_RDONLY);
  const std::size_t size = descriptor.size();
  for (auto _ : state) {
    std::atomic<bool> good = true;
    void* memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.get(), 0);
    if (memory == MAP_FAILED) throw_errno("mmap " + file.input->path());
    state.SetIterationTime(time_of([&] {
      std::atomic<std::size_t> next = 0;
      on_threads(file.threads, [&](int) {
        for (std::size_t at; (at = next.fetch_add(16 * kMiB)) < size;) {
          auto* part = static_cast<std::byte*>(memory) + at;
          const std::size_t bytes = std::min(16 * kMiB, size - at);
          if (madvise(part, bytes, MADV_POPULATE_READ) != 0) good = false;
        }
      });
    }));
    munmap(memory, size);
    if (!good) return state.SkipWithError("cannot bring the mapping in");
    state.SetBytesProcessed(static_cast<std::int64_t>(size));
  }
}

// XXH3 over private memory on huge pages, at most 1 GiB of it: plain XXH3 over a warm buffer.
void hash_private(benchmark::State& state, const WarmFile& file) {
  Memory memory(
      std::min<std::uint64_t>(Descriptor(file.input->path(), O_RDONLY).size(), 1024 * kMiB));
  for (auto _ : state) {
    std::uint64_t sum = 0;
    state.SetIterationTime(
        time_of([&] { sum = sum_parallel(memory.bytes(), kMiB, file.threads, hash_part); }));
    benchmark::DoNotOptimize(sum);
    state.SetBytesProcessed(static_cast<std::int64_t>(memory.bytes().size()));
  }
}

// Nothing done with what was read: what the read path could reach at best.
void read_only(benchmark::State& state, const WarmFile& file) {
  const std::string& path = file.input->warm_path();
  for (auto _ : state) {
    state.SetIterationTime(read_buffered(path, file.threads));
    state.SetBytesProcessed(static_cast<std::int64_t>(residency(path).total));
  }
}

}  // namespace

void register_verify_warm_ceiling(const WarmFile& file) {
  auto add = [&](const char* contender, std::function<void(benchmark::State&)> run) {
    add_benchmark("verify-warm", file.shape, contender, Repeat::kOnce, std::move(run));
  };
  auto add_mapped = [&](const char* contender, std::size_t part_bytes, Visit visit) {
    add(contender, [=](benchmark::State& state) { visit_mapped(state, file, part_bytes, visit); });
  };
  add_mapped("ceiling:memory-read-1MiB", kMiB, sum_words);
  add_mapped("ceiling:memory-read-16MiB", 16 * kMiB, sum_words);
  add_mapped("part:xxh3-mapped", kMiB, hash_part);
  if (can_populate())
    add("part:map-only", [file](benchmark::State& state) { map_only(state, file); });
  add("part:xxh3-private", [file](benchmark::State& state) { hash_private(state, file); });
  add("part:read-only", [file](benchmark::State& state) { read_only(state, file); });
}

}  // namespace ingot::bench
