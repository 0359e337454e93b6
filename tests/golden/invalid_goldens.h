// The invalid golden files: one entry a file, each breaking one thing. A file's bytes are made from
// a valid golden or from wrong index contents; what a reader must say of it stands beside it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/status.h"

#include "tests/golden/draft.h"
#include "tests/support/hostile_index.h"

namespace ingot::golden {

struct InvalidGolden {
  std::string name;  // file name without extension
  Code code;         // of open(), or of the first error of a full verification
  std::string rule;  // "F-31", which the message must begin with; empty: no numbered rule
  std::string why;
  std::function<FileBytes()> make;
};

using Goldens = std::vector<InvalidGolden>;

// By subject.
Goldens invalid_header();
Goldens invalid_regions();
Goldens invalid_data();
Goldens invalid_flatbuffer();
Goldens invalid_storages();
Goldens invalid_tensors();
Goldens invalid_names();
Goldens invalid_quantization();
Goldens invalid_state();
Goldens invalid_attachments();

// All of them.
Goldens invalid_goldens();

using Edit = std::function<void(Draft&)>;

// A valid golden after `edit`, digests left as they were: accidental damage.
InvalidGolden damaged(std::string name, Code code, std::string rule, std::string why, Edit edit,
                      std::string_view base = "smallest");

// The same of a valid file that is no golden.
InvalidGolden damaged_file(std::string name, Code code, std::string rule, std::string why,
                           Edit edit, FileBytes (*base)());

// A valid golden after `edit`, all digests recomputed: hostile content.
InvalidGolden forged(std::string name, Code code, std::string rule, std::string why, Edit edit,
                     std::string_view base = "smallest");

using ingot::testing::HostileFile;
using ingot::testing::HostileIndex;
using HostileEdit = std::function<void(HostileFile&)>;

// A file of seven small tensors of all roles (tied, strided, 0-d, packed), two attachments and a
// state tree. Storages: 0 and 1 parameters, 2 buffer, 3 optimizer state, 4 and 5 other, 6 and 7
// attachments.
HostileFile small_file();
// Three quantised tensors: per tensor, per channel (storages 1, 2 and 3), float parameters (4 to
// 6).
HostileFile quantized_file();
// Two tensors of 100 and 10 bytes, with a SHA-256 column.
FileBytes sha256_file();

// `base` after `edit`, all digests recomputed. The rest of the encoding stays canonical.
InvalidGolden hostile(std::string name, std::string rule, std::string why, HostileEdit edit,
                      HostileFile (*base)() = small_file);

}  // namespace ingot::golden
