// Verify every byte, page cache warm. Ceiling: read the mapped file, one sum per thread.
#pragma once

#include <memory>
#include <string>

#include "bench/support/input.h"

namespace ingot::bench {

struct WarmFile {
  std::shared_ptr<Input> input;
  std::shared_ptr<Input> empty;  // the same tensors without bytes
  std::string shape;             // with the number of threads: "decoder-4096MiB-2threads"
  int threads = 1;
};

void register_verify_warm_ingot(const WarmFile& file);
void register_verify_warm_ceiling(const WarmFile& file);

}  // namespace ingot::bench
