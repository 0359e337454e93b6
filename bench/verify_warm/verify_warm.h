// Verify every byte, page cache warm. Ceiling: read the mapped file, one sum per thread.
#pragma once

#include <string>

namespace ingot::bench {

struct WarmFile {
  std::string path;
  std::string empty;  // the same tensors without bytes
  std::string shape;  // with the number of threads: "decoder-4096MiB-2threads"
  int threads = 1;
};

void register_verify_warm_ingot(const WarmFile& file);
void register_verify_warm_ceiling(const WarmFile& file);

}  // namespace ingot::bench
