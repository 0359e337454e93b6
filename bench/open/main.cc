#include <cstddef>
#include <vector>

#include "bench/open/open.h"
#include "bench/support/files.h"
#include "bench/support/options.h"
#include "bench/support/page_cache.h"
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
    std::string path = ingot_file(shape);
    make_warm(path);
    register_open_ingot(shape.name, path);
    register_open_ceiling(shape.name, path);
  }
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  return ingot::bench::run_benchmarks(argc, argv, ingot::bench::register_all);
}
