#include <cstddef>
#include <vector>

#include "bench/open/open.h"
#include "bench/support/options.h"
#include "bench/support/shapes.h"

namespace ingot::bench {
namespace {

void register_all() {
  std::vector<Shape> shapes;
  if (options().quick) {
    for (std::size_t count : {10u, 1000u}) shapes.push_back(small_tensors(count));
  } else {
    for (std::size_t count : {10u, 100u, 1000u, 10'000u, 100'000u}) {
      shapes.push_back(small_tensors(count));
    }
    shapes.push_back(small_tensors(1'000'000, 16));
  }
  for (const Shape& shape : shapes) {
    const auto input = std::make_shared<Input>(shape);
    register_open_ingot(shape.name, input);
    register_open_ceiling(shape.name, input);
  }
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  return ingot::bench::run_benchmarks(argc, argv, ingot::bench::register_all);
}
