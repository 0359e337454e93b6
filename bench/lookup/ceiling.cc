#include <array>

#include "bench/lookup/lookup.h"
#include "bench/lookup/measure.h"
#include "bench/support/descriptor.h"
#include "format/digest.h"

namespace ingot::bench {
namespace {

// As many sorted hashes and as many descriptions as the index has, laid out so that the answer is
// always exactly where interpolation says: one miss for the hash, one for the description.
struct Tables {
  struct Description {
    std::array<std::uint64_t, 16> words;  // 128 bytes, about what a tensor takes in the index
  };

  explicit Tables(std::size_t n)
      : count(n),
        hash_memory(n * sizeof(std::uint64_t)),
        description_memory(n * sizeof(Description)) {}

  std::uint64_t lookup(std::string_view name) const {
    std::uint64_t hash = format::xxh3_64(as_bytes(name));
    __extension__ using Wide = unsigned __int128;
    auto slot = static_cast<std::size_t>((Wide{hash} * count) >> 64);
    auto hashes = reinterpret_cast<const std::uint64_t*>(hash_memory.data());
    auto descriptions = reinterpret_cast<const Description*>(description_memory.data());
    // The hashes are all zero: the sum is the slot, but the second miss has to wait for the first.
    return descriptions[slot + hashes[slot]].words[slot % 16];
  }

  std::size_t count;
  Memory hash_memory;
  Memory description_memory;
};

}  // namespace

void register_lookup_ceiling(const Shape& shape, std::shared_ptr<const Questions> questions) {
  auto run = [questions](benchmark::State& state) {
    Tables tables(questions->names().size());
    measure_lookups(state, questions->names(),
                    [&](std::string_view name) { return tables.lookup(name); });
  };
  add_benchmark("lookup", shape.name, "ceiling:hash+2-misses", Repeat::kAdaptive, run)
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace ingot::bench
