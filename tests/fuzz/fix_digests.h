// Makes mutated files pass their digests. An attacker can always recompute XXH3, so what lies
// behind the digests must be fuzzed with the gate satisfied (shared by the fuzz targets' custom
// mutators).
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace ingot::fuzz {

// Stores the digests of digest table and index in the header page, wherever those two lie.
void fix_regions(MutableBytes page, Bytes digests, Bytes index);

// Recomputes root and page digest of the header page at the front of `page` (>= 4096 bytes).
void fix_header(MutableBytes page);

// Recomputes, where the header's offsets lie within the file, the digests of digest table and
// index, then the header, and copies that to the end. Chunk digests stay as they are: damage to
// data is theirs to find.
void fix_file(MutableBytes file);

}  // namespace ingot::fuzz
