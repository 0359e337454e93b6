// Counts the GPUs through ingot::cuda.
#include "ingot/cuda.h"

#include <cstdio>

int main() {
  const ingot::Result<int> count = ingot::gpu::device_count();
  if (!count.ok()) {
    std::fprintf(stderr, "%s\n", count.status().to_string().c_str());
    return 1;
  }
  std::printf("%d GPUs\n", *count);
  for (int ordinal = 0; ordinal < *count; ++ordinal) {
    const auto gpu = ingot::gpu::open_device({.ordinal = ordinal});
    std::printf("%s\n",
                gpu.ok() ? (*gpu)->description().c_str() : gpu.status().to_string().c_str());
  }
}
