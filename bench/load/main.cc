// Load every tensor into host memory, from the page cache and from storage. Ceilings: memcpy by as
// many threads; the best sequential O_DIRECT read. Destinations are made, and touched, beforehand.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <span>

#include "ingot/device.h"
#include "ingot/digest.h"
#include "ingot/exceptions.h"
#include "ingot/load_plan.h"
#include "ingot/stream.h"

#include "bench/support/descriptor.h"
#include "bench/support/direct_io.h"
#include "bench/support/files.h"
#include "bench/support/input.h"
#include "bench/support/memory_read.h"
#include "bench/support/options.h"
#include "bench/support/page_cache.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"

namespace ingot::bench {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

enum class Cache : std::uint8_t { kWarm, kCold };

struct How {
  Transport transport = Transport::kAuto;
  StreamVerify verify = StreamVerify::kTouched;
  bool in_place = false;  // each tensor to memory of its own
  bool staged = false;    // through a ring of slots, as to an accelerator
};

// Destinations and plan of one file, kept from run to run: pages are made once.
class Target {
 public:
  Target(const std::string& path, const How& how)
      : device_(make_host_device({.through_staging = how.staged})),
        checkpoint_(or_throw(Checkpoint::open(path))),
        slab_(LoadPlan::for_tensors(checkpoint_, {})),
        own_(checkpoint_),
        memory_(slab_.slab_bytes()),
        in_place_(how.in_place) {
    if (!in_place_) return;
    for (std::uint32_t i = 0; i < checkpoint_.tensor_count(); ++i) {
      const TensorInfo tensor = checkpoint_.info(i);
      Destination to;
      to.device = device_.get();
      to.memory = {memory_.data() + *slab_.slab_offset(tensor), tensor.bytes};
      or_throw(own_.add(tensor, to));
    }
  }

  StreamReport load(const StreamOptions& options) const {
    return or_throw(in_place_
                        ? stream(own_, options)
                        : stream(slab_, *device_, {memory_.data(), slab_.slab_bytes()}, options));
  }
  std::uint64_t bytes() const { return in_place_ ? own_.bytes() : slab_.bytes(); }

 private:
  std::unique_ptr<Device> device_;
  Checkpoint checkpoint_;
  LoadPlan slab_;
  LoadPlan own_;
  Memory memory_;
  bool in_place_;
};

void run_load(benchmark::State& state, Input& input, const How& how, Cache cache) {
  const std::string& path = cache == Cache::kWarm ? input.warm_path() : input.path();
  const Target target(path, how);
  StreamOptions options{.transport = how.transport, .verify = how.verify};
  options.threads = bench::options().threads;
  if (cache == Cache::kWarm) target.load(options);
  for (auto _ : state) {
    const bool ready =
        cache == Cache::kWarm ? residency(path).warm() || make_warm(path) : make_cold(path);
    if (!ready) return state.SkipWithError("the page cache is not in the state to be measured");
    Usage usage;
    StreamReport report;
    state.SetIterationTime(time_of([&] { report = target.load(options); }));
    usage.report(state);
    state.counters["staging"] = static_cast<double>(report.peak_staging_bytes);
    state.counters["copies"] = static_cast<double>(report.copies);
    state.SetBytesProcessed(static_cast<std::int64_t>(target.bytes()));
    state.SetLabel(std::string(transport_name(report.transport)) + ": " + report.reason);
  }
}

// As many bytes, at most 1 GiB at a time, between memory that is there.
void copy_memory(benchmark::State& state, std::uint64_t bytes) {
  const std::uint64_t size = std::min(bytes, 1024 * kMiB);
  const Memory from(size);
  const Memory to(size);
  std::memset(from.data(), 1, size);
  for (auto _ : state) {
    std::atomic<std::uint64_t> next = 0;
    state.SetIterationTime(time_of([&] {
      on_threads(options().threads, [&](int) {
        for (std::uint64_t at; (at = next.fetch_add(4 * kMiB)) < size;) {
          std::memcpy(to.data() + at, from.data() + at, std::min(4 * kMiB, size - at));
        }
      });
    }));
    state.SetBytesProcessed(static_cast<std::int64_t>(size));
  }
}

// read(2) of the file's bytes to where they belong, each block hashed by the thread that read it,
// or not: what a load from the page cache cannot be faster than.
void read_warm(benchmark::State& state, const std::string& path, bool hashed) {
  const Descriptor file(path, O_RDONLY);
  const std::uint64_t size = file.size();
  const Memory to(size);
  for (auto _ : state) {
    if (!residency(path).warm() && !make_warm(path)) {
      return state.SkipWithError("the file is not in the page cache");
    }
    std::atomic<std::uint64_t> next = 0;
    std::atomic<std::uint64_t> total = 0;
    state.SetIterationTime(time_of([&] {
      on_threads(options().threads, [&](int) {
        for (std::uint64_t at; (at = next.fetch_add(kMiB)) < size;) {
          const std::uint64_t bytes = std::min(kMiB, size - at);
          const ssize_t n = pread(file.get(), to.data() + at, bytes, static_cast<off_t>(at));
          if (n > 0) total += static_cast<std::uint64_t>(n);
          if (hashed) benchmark::DoNotOptimize(digest_of(to.bytes().subspan(at, bytes)));
        }
      });
    }));
    if (total != size) return state.SkipWithError("short read");
    state.SetBytesProcessed(static_cast<std::int64_t>(size));
  }
}

// The ceiling's reads, each byte to its own place in memory as large as the file.
void read_into_place(benchmark::State& state, const std::string& path, const DirectIoShape& io) {
  const Memory to(Descriptor(path, O_RDONLY).size() + 4096);
  for (auto _ : state) {
    if (!make_cold(path)) return state.SkipWithError("not all of the file left the page cache");
    state.SetIterationTime(read_direct_into(path, to.bytes(), io));
    state.SetBytesProcessed(static_cast<std::int64_t>(residency(path).total));
  }
}

// The same reads to slots that are used again and again; from there each block goes to its place,
// by the thread that reads, hashed or not.
void read_and_copy(benchmark::State& state, const std::string& path, const DirectIoShape& io,
                   bool hashed) {
  const Memory to(Descriptor(path, O_RDONLY).size() + 4096);
  for (auto _ : state) {
    if (!make_cold(path)) return state.SkipWithError("not all of the file left the page cache");
    std::size_t at = 0;
    state.SetIterationTime(read_direct(path, io, [&](std::span<const std::byte> block) {
      std::memcpy(to.data() + at, block.data(), block.size());
      at += block.size();
      if (hashed) benchmark::DoNotOptimize(digest_of(block));
    }));
    state.SetBytesProcessed(static_cast<std::int64_t>(residency(path).total));
  }
}

void read_whole(benchmark::State& state, const std::string& path, const DirectIoShape& io) {
  for (auto _ : state) {
    if (!make_cold(path)) return state.SkipWithError("not all of the file left the page cache");
    state.SetIterationTime(read_direct(path, io));
    state.SetBytesProcessed(static_cast<std::int64_t>(residency(path).total));
  }
}

void add_warm(const Shape& shape, const std::shared_ptr<Input>& input) {
  const auto add = [&](const char* contender, const How& how) {
    add_benchmark("load-warm", shape.name, contender, Repeat::kOnce,
                  [=](benchmark::State& state) { run_load(state, *input, how, Cache::kWarm); });
  };
  add("ingot", {});
  add("ingot-page-cache", {.transport = Transport::kPageCache});
  add("ingot-unverified", {.verify = StreamVerify::kNone});
  add("ingot-in-place", {.in_place = true});
  add("ingot-staged", {.staged = true});
  add_benchmark("load-warm", shape.name, "ceiling:memcpy", Repeat::kOnce,
                [bytes = shape.bytes()](benchmark::State& state) { copy_memory(state, bytes); });
  add_benchmark("load-warm", shape.name, "part:read-only", Repeat::kOnce,
                [=](benchmark::State& state) { read_warm(state, input->warm_path(), false); });
  add_benchmark("load-warm", shape.name, "part:read+xxh3", Repeat::kOnce,
                [=](benchmark::State& state) { read_warm(state, input->warm_path(), true); });
}

void add_cold(const Shape& shape, const std::shared_ptr<Input>& input) {
  const auto add = [&](const char* contender, const How& how) {
    add_benchmark("load-cold", shape.name, contender, Repeat::kOnce,
                  [=](benchmark::State& state) { run_load(state, *input, how, Cache::kCold); });
  };
  add("ingot", {});
  add("ingot-unverified", {.verify = StreamVerify::kNone});
  add("ingot-in-place", {.in_place = true});
  add("ingot-read", {.transport = Transport::kRead});
  const DirectIoShape own{4 * kMiB, 8};
  add_benchmark("load-cold", shape.name, "part:direct-read-into-place", Repeat::kOnce,
                [=](benchmark::State& state) { read_into_place(state, input->path(), own); });
  add_benchmark("load-cold", shape.name, "part:direct-read+copy", Repeat::kOnce,
                [=](benchmark::State& state) { read_and_copy(state, input->path(), own, false); });
  add_benchmark("load-cold", shape.name, "part:direct-read+copy+xxh3", Repeat::kOnce,
                [=](benchmark::State& state) { read_and_copy(state, input->path(), own, true); });
  for (const DirectIoShape& io : kDirectIoShapes) {
    add_benchmark("load-cold", shape.name, "ceiling:direct-read-" + io.name(), Repeat::kOnce,
                  [=](benchmark::State& state) { read_whole(state, input->path(), io); });
  }
}

void register_all() {
  const bool direct = has_direct_io(cache_folder());
  std::vector<Shape> shapes;
  if (options().quick) {
    shapes = {decoder(8 * kMiB), small_tensors(1000)};
  } else {
    shapes = {decoder(2048 * kMiB), mixture_of_experts(2048 * kMiB), small_tensors(100'000),
              resnet50_with_adam()};
  }
  for (const Shape& shape : shapes) {
    const auto input = std::make_shared<Input>(shape);
    add_warm(shape, input);
    if (direct) add_cold(shape, input);
  }
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  return ingot::bench::run_benchmarks(argc, argv, ingot::bench::register_all);
}
