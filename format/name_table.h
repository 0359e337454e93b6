// The table of names that an index holds: the hash of each tensor's name, in ascending order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace ingot::format {

// An entry of name_hashes and of name_tensors.
struct NameHash {
  std::uint64_t hash = 0;
  std::uint32_t tensor = 0;
};

using NameAt = std::function<std::string_view(std::size_t tensor)>;

// By hash, and by name where hashes are equal: equal names lie side by side.
std::vector<NameHash> make_name_table(std::size_t count, const NameAt& name_at);

}  // namespace ingot::format
