// Validation of an index that may be hostile (docs/format.md, rules F-…).
#pragma once

#include <cstdint>
#include <string_view>

#include "ingot/checkpoint.h"
#include "ingot/status.h"

#include "base/bytes.h"
#include "format/header.h"

namespace ingot::format {

// Order: FlatBuffers Verifier, then every rule of the format in one pass with checked arithmetic
// and without an allocation in proportion to any claimed count. `index` is private memory, aligned
// to 16, whose digest was checked or is being checked: these bytes may be anything. kRejected names
// the rule ("F-31: …") and the tensor; kUnsupported for features of later versions. After OK,
// IndexView needs no checks.
Status validate_index(Bytes index, const Header& header, const Limits& limits,
                      std::string_view path);

// The same in steps, for a caller with two threads: content() and names() may run at once. The
// index is valid when all three say so; the first of their errors in the order below is the one
// that validate_index() returns. Refers to its arguments.
class IndexValidation {
 public:
  IndexValidation(Bytes index, const Header& header, const Limits& limits, std::string_view path)
      : index_(index), header_(header), limits_(limits), path_(path) {}

  // Memory safety, the root table, storages: F-12, F-30 to F-46, F-70.
  Status structure();
  // Tensors, attachments, state tree. REQUIRES: structure() accepted.
  Status content() const;
  // The table of names, F-71 to F-73. REQUIRES: structure() accepted.
  Status names() const;

 private:
  Bytes index_;
  const Header& header_;
  const Limits& limits_;
  std::string_view path_;
  std::uint64_t budget_ = 0;  // F-32: bytes of the index that structure() did not refer to
};

// Whether these are the very bytes that encode_index() makes of their own content. Allocates four
// bytes a tensor, and all of the index to say what differs; `verify` at the full level runs it.
// REQUIRES: validate_index() accepted.
Status check_canonical(Bytes index, std::string_view path);

}  // namespace ingot::format
