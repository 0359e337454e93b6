#include "format/name_table.h"

#include <algorithm>

#include "base/bytes.h"
#include "format/digest.h"

namespace ingot::format {

std::vector<NameHash> make_name_table(std::size_t count, const NameAt& name_at) {
  std::vector<NameHash> table(count);
  for (std::size_t i = 0; i < count; ++i) {
    table[i] = {.hash = xxh3_64(as_bytes(name_at(i))), .tensor = static_cast<std::uint32_t>(i)};
  }
  std::sort(table.begin(), table.end(), [&](const NameHash& a, const NameHash& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    return name_at(a.tensor) < name_at(b.tensor);
  });
  return table;
}

}  // namespace ingot::format
