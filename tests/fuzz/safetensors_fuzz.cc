// The header of a .safetensors file: parsed or refused, never a crash.
#include <cstdint>

#include "base/bytes.h"
#include "tools/safetensors/header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
