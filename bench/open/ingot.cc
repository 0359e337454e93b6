#include <optional>

#include "ingot/checkpoint.h"

#include "bench/open/open.h"
#include "bench/support/page_cache.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"

namespace ingot::bench {
namespace {

void open_file(benchmark::State& state, const std::string& path) {
  if (!residency(path).warm() && !make_warm(path))
    return state.SkipWithError("not all of the file is in the page cache");
  Usage usage;
  for (auto _ : state) {
    std::optional<Result<Checkpoint>> checkpoint;
    state.SetIterationTime(time_of([&] { checkpoint.emplace(Checkpoint::open(path)); }));
    or_throw(checkpoint->status());
    state.counters["tensors"] = (*checkpoint)->tensor_count();
    state.counters["index_bytes"] = static_cast<double>((*checkpoint)->file().index_bytes);
  }
  usage.report(state);
}

}  // namespace

void register_open_ingot(const std::string& shape, const std::shared_ptr<Input>& input) {
  add_benchmark("open", shape, "ingot", Repeat::kAdaptive, [input](benchmark::State& state) {
    open_file(state, input->warm_path());
  })->Unit(benchmark::kMicrosecond);
}

}  // namespace ingot::bench
