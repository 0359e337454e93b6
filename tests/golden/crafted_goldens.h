// Valid files that no writer of version 1.0 makes, and that every reader of version 1.0 must read:
// of later minor versions, and with optional features that it does not know.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/golden/draft.h"

namespace ingot::golden {

struct CraftedGolden {
  std::string name;
  std::string why;
  std::function<FileBytes()> make;
};

std::vector<CraftedGolden> crafted_goldens();

// A valid index with a new root table, which has one more field than version 1.0 knows.
FileBytes with_later_field(const FileBytes& index);

}  // namespace ingot::golden
