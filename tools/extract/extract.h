// Writes tensors and attachments out as files of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/progress.h"
#include "ingot/status.h"

#include "base/bytes.h"
#include "tools/extract/slice_spec.h"

namespace ingot::tools {

// One thing to take out.
struct ExtractItem {
  std::string name;
  bool attachment = false;
  std::optional<std::string> slice;  // of a tensor: parse_slice()
  bool npy = false;                  // with a NumPy header; else raw bytes
};

struct Extracted {
  std::string name;
  std::string dtype;                // empty for an attachment
  std::vector<std::int64_t> shape;  // of what was written
  std::uint64_t bytes = 0;          // with the header
};

using ByteSink = std::function<Status(Bytes)>;

// What extract() will give, without reading data. kNotFound; kUnsupported when NumPy has no such
// dtype; kInvalidArgument for the slice.
Result<Extracted> describe(const Checkpoint& checkpoint, const ExtractItem& item);

// Passes the item's bytes to `sink` in parts, each checked against its digest before. Fails as
// describe() does.
Result<Extracted> extract(const Checkpoint& checkpoint, const ExtractItem& item,
                          const CancelFlag* cancel, const ByteSink& sink);

// A name as a file name: everything but [A-Za-z0-9._-] becomes %XX, and so does a dot in front.
// Names are untrusted: none of them leaves the folder.
std::string file_name_of(std::string_view name);

}  // namespace ingot::tools
