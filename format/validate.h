// Validation of an index that may be hostile (docs/format.md, rules F-…).
#pragma once

#include <string_view>

#include "ingot/checkpoint.h"
#include "ingot/status.h"

#include "base/bytes.h"
#include "format/header.h"

namespace ingot::format {

// Order: FlatBuffers Verifier, then every rule of the format in one pass with checked arithmetic
// and without an allocation in proportion to any claimed count. `index` is private memory, aligned
// to 16, whose digest was checked. kRejected names the rule ("F-31: …") and the tensor;
// kUnsupported for features of later versions. After OK, IndexView needs no checks.
Status validate_index(Bytes index, const Header& header, const Limits& limits,
                      std::string_view path);

// Whether these are the very bytes that encode_index() makes of their own content. Allocates in
// proportion to the index; `verify` at the full level runs it. REQUIRES: validate_index() accepted.
Status check_canonical(Bytes index, std::string_view path);

}  // namespace ingot::format
