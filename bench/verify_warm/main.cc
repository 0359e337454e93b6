#include <vector>

#include "bench/support/options.h"
#include "bench/support/shapes.h"
#include "bench/verify_warm/verify_warm.h"

namespace ingot::bench {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

void add(const Shape& shape, int threads) {
  WarmFile file{std::make_shared<Input>(shape), std::make_shared<Input>(without_bytes(shape)),
                shape.name + "-" + std::to_string(threads) + "threads", threads};
  register_verify_warm_ingot(file);
  register_verify_warm_ceiling(file);
}

void register_all() {
  int all = options().threads;
  if (options().quick) {
    add(decoder(8 * kMiB), all);
    add(small_tensors(1000), all);
    return;
  }
  // Against bytes, against threads, against the number of tensors.
  for (std::uint64_t mib : {128u, 1024u, 4096u}) add(decoder(mib * kMiB), all);
  if (all > 1) add(decoder(4096 * kMiB), 1);
  add(mixture_of_experts(2048 * kMiB), all);
  add(small_tensors(100'000), all);
  add(resnet50_with_adam(), all);
  add(single_tensor(8192 * kMiB), all);
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  return ingot::bench::run_benchmarks(argc, argv, ingot::bench::register_all);
}
