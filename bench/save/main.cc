#include <fcntl.h>
#include <unistd.h>

#include "bench/save/save.h"
#include "bench/support/files.h"
#include "bench/support/options.h"

namespace ingot::bench {

std::string save_path() { return output_file("save.ingot"); }

void clear_output() {
  save_path();
  // Freed blocks go back at the next commit of the journal; the next contender must not pay for it.
  Descriptor folder(cache_folder(), O_RDONLY | O_DIRECTORY);
  if (syncfs(folder.get()) != 0) throw_errno("syncfs");
}

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

void register_all() {
  std::vector<Shape> shapes;
  if (options().quick) {
    shapes = {decoder(8 * kMiB), small_tensors(1000)};
  } else {
    shapes = {decoder(2048 * kMiB), small_tensors(100'000), resnet50_with_adam(),
              single_tensor(8192 * kMiB)};
  }
  for (Shape& shape : shapes) {
    auto payload = std::make_shared<const Payload>(std::move(shape));
    register_save_ingot(payload);
    register_save_ceiling(payload);
    register_save_buffered(payload);
  }
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  int result = ingot::bench::run_benchmarks(argc, argv, ingot::bench::register_all);
  ingot::bench::clear_output();
  return result;
}
