#include "tools/inspect/listing.h"

#include <fnmatch.h>

#include <algorithm>

#include "tools/read/packed_reader.h"

namespace ingot::tools {

std::vector<std::uint32_t> select_tensors(const Checkpoint& checkpoint,
                                          const ListingFilter& filter) {
  std::vector<std::uint32_t> chosen;
  checkpoint.for_each(
      {.role = filter.role, .prefix = filter.prefix}, [&](const TensorInfo& tensor) {
        if (filter.dtype && tensor.dtype != *filter.dtype) return;
        if (!filter.glob.empty() &&
            ::fnmatch(filter.glob.c_str(), std::string(tensor.name).c_str(), 0) != 0) {
          return;
        }
        chosen.push_back(tensor.ordinal);
      });
  if (filter.sort == SortBy::kName) {
    std::sort(chosen.begin(), chosen.end(), [&](std::uint32_t a, std::uint32_t b) {
      return checkpoint.info(a).name < checkpoint.info(b).name;
    });
  } else if (filter.sort == SortBy::kSize) {
    std::stable_sort(chosen.begin(), chosen.end(), [&](std::uint32_t a, std::uint32_t b) {
      return packed_bytes(checkpoint.info(a)) > packed_bytes(checkpoint.info(b));
    });
  }
  if (filter.limit && chosen.size() > *filter.limit) {
    chosen.resize(static_cast<std::size_t>(*filter.limit));
  }
  return chosen;
}

}  // namespace ingot::tools
