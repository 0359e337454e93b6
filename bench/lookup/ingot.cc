#include "ingot/checkpoint.h"

#include "bench/lookup/lookup.h"
#include "bench/lookup/measure.h"
#include "bench/support/input.h"

namespace ingot::bench {

void register_lookup_ingot(const Shape& shape, std::shared_ptr<const Questions> questions) {
  const auto input = std::make_shared<Input>(shape);
  auto run = [input, questions](benchmark::State& state) {
    Checkpoint checkpoint = or_throw(Checkpoint::open(input->path()));
    for (std::string_view name : questions->names()) {
      auto found = checkpoint.find(name);
      if (!found || found->name != name) return state.SkipWithError("a name was not found");
    }
    measure_lookups(state, questions->names(), [&](std::string_view name) -> std::uint64_t {
      std::optional<TensorInfo> found = checkpoint.find(name);
      return found ? found->ordinal + found->bytes : 0;
    });
    if (state.counters["allocations"] != 0) state.SkipWithError("a look-up allocated memory");
  };
  add_benchmark("lookup", shape.name, "ingot", Repeat::kAdaptive, run)
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace ingot::bench
