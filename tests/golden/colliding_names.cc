#include "tests/golden/colliding_names.h"

namespace ingot::golden {

std::vector<std::string> colliding_names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    std::string name(256, 'n');
    // Column 3 of stripes 1 and 2. The low halves differ as the secret's do; four bits of the high
    // halves, in which the secret agrees, are traded.
    name.replace(64 + 24, 8, std::string("!@@@") + static_cast<char>(0x40 + i) + "@@@");
    name.replace(128 + 24, 8, std::string("hcvs") + static_cast<char>(0x40 + 15 - i) + "@@@");
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace ingot::golden
