// Taking bytes over from the caller.
#pragma once

#include <cstring>

#include "ingot/digest.h"

#include "base/bytes.h"
#include "format/digest.h"

namespace ingot::writer {

// The only place that reads the caller's memory; bytes of a device will arrive here as well. Digest
// first, copy second: a change in between makes the copy differ from the digest, which staging then
// finds. REQUIRES: both have the same size.
inline Digest128 take_over(Bytes source, MutableBytes slot) {
  const Digest128 digest = format::xxh3_128(source);
  std::memcpy(slot.data(), source.data(), source.size());
  return digest;
}

}  // namespace ingot::writer
