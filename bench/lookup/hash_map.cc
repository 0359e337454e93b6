#include <unordered_map>

#include "bench/lookup/lookup.h"
#include "bench/lookup/measure.h"

namespace ingot::bench {

void register_lookup_hash_map(const Shape& shape, std::shared_ptr<const Questions> questions) {
  auto names = std::make_shared<std::vector<std::string>>();
  for (const Tensor& tensor : shape.tensors) names->push_back(tensor.name);
  auto run = [names, questions](benchmark::State& state) {
    std::unordered_map<std::string_view, std::uint64_t> map;
    for (std::size_t i = 0; i < names->size(); ++i) map.emplace((*names)[i], i);
    measure_lookups(state, questions->names(), [&](std::string_view name) -> std::uint64_t {
      auto found = map.find(name);
      return found != map.end() ? found->second : 0;
    });
  };
  add_benchmark("lookup", shape.name, "std::unordered_map", Repeat::kAdaptive, run)
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace ingot::bench
