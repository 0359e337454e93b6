// The ceiling of open, over the index in private memory, and the parts that open() is made of.
#include "bench/open/index_parts.h"
#include "bench/open/open.h"
#include "bench/support/run.h"

namespace ingot::bench {
namespace {

void measure(benchmark::State& state, const std::string& path, IndexPart work) {
  IndexBytes in(path);
  for (auto _ : state) {
    bool good = false;
    state.SetIterationTime(time_of([&] { good = work(in); }));
    if (!good) return state.SkipWithError("the index is not intact");
  }
}

}  // namespace

void register_open_ceiling(const std::string& shape, const std::shared_ptr<Input>& input) {
  auto add = [&](const char* name, IndexPart work) {
    add_benchmark("open", shape, name, Repeat::kAdaptive, [input, work](benchmark::State& state) {
      measure(state, input->warm_path(), work);
    })->Unit(benchmark::kMicrosecond);
  };
  add("ceiling:xxh3+verifier", hash_and_verify);
  add("part:read-index", read_index);
  add("part:hash-index", hash_index);
  add("part:hash-digest-table", hash_digest_table);
  add("part:validate-index", validate_index);
}

}  // namespace ingot::bench
