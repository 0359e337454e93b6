#include <algorithm>
#include <random>

#include "bench/lookup/lookup.h"
#include "bench/support/options.h"

namespace ingot::bench {

Questions::Questions(const Shape& shape) {
  std::vector<const std::string*> order;
  std::size_t bytes = 0;
  for (const Tensor& tensor : shape.tensors) {
    order.push_back(&tensor.name);
    bytes += tensor.name.size();
  }
  std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
  text_.reserve(bytes);
  for (const std::string* name : order) text_ += *name;
  std::size_t offset = 0;
  for (const std::string* name : order) {
    names_.push_back(std::string_view(text_).substr(offset, name->size()));
    offset += name->size();
  }
}

namespace {

void register_all() {
  std::vector<Shape> shapes;
  if (options().quick) {
    shapes = {small_tensors(1000)};
  } else {
    shapes = {small_tensors(1000), small_tensors(100'000), small_tensors(1'000'000, 16)};
  }
  for (const Shape& shape : shapes) {
    auto questions = std::make_shared<const Questions>(shape);
    register_lookup_ingot(shape, questions);
    register_lookup_ceiling(shape, questions);
    register_lookup_hash_map(shape, questions);
  }
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  return ingot::bench::run_benchmarks(argc, argv, ingot::bench::register_all);
}
