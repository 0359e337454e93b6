// libFuzzer's own mutation, followed three times out of four by the repair of the digests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/bytes.h"

#ifdef INGOT_FUZZ
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace ingot::fuzz {

inline std::size_t mutate_then_fix(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                   unsigned int seed, std::size_t min_size,
                                   void (*fix)(MutableBytes)) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (size < min_size && min_size <= max_size) {
    std::memset(data + size, 0, min_size - size);
    size = min_size;
  }
  if (seed % 4 != 0) fix(std::as_writable_bytes(std::span(data, size)));
  return size;
}

}  // namespace ingot::fuzz
#endif
