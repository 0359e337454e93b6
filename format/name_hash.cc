// XXH3-64 of names. In a file of its own because it wants xxHash inlined: names are short, and for
// up to 240 bytes there is nothing to dispatch.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "format/digest.h"

namespace ingot::format {

std::uint64_t xxh3_64(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace ingot::format
