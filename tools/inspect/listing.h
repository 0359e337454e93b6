// Which tensors a listing shows, and in which order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ingot/checkpoint.h"

namespace ingot::tools {

enum class SortBy : std::uint8_t { kRegistration, kName, kSize };

struct ListingFilter {
  std::optional<Role> role;
  std::optional<DType> dtype;
  std::string prefix;
  std::string glob;  // of the whole name, as fnmatch(3) has it; empty matches all
  SortBy sort = SortBy::kRegistration;
  std::optional<std::uint64_t> limit;
};

// Ordinals, in the order to show. Sizes descend, names ascend.
std::vector<std::uint32_t> select_tensors(const Checkpoint& checkpoint,
                                          const ListingFilter& filter);

}  // namespace ingot::tools
