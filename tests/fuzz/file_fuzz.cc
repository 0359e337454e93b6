// A whole file: whatever open() accepts must be usable without a crash, and verify() and read()
// must agree about which tensors are intact.
#include <cstdint>

#include "format/constants.h"
#include "tests/fuzz/exercise.h"
#include "tests/fuzz/fix_digests.h"
#include "tests/fuzz/mutate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ingot::fuzz::exercise_file(std::as_bytes(std::span(data, size)));
  return 0;
}

#ifdef INGOT_FUZZ
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned int seed) {
  return ingot::fuzz::mutate_then_fix(data, size, max_size, seed, 2 * ingot::format::kPageBytes,
                                      ingot::fuzz::fix_file);
}
#endif
