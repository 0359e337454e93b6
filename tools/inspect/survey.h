// Figures about a whole checkpoint, from its index alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/checkpoint.h"

namespace ingot::tools {

struct Share {
  std::uint64_t tensors = 0;
  std::uint64_t bytes = 0;  // of storages; one that several tensors use counts for the first
};

struct Survey {
  std::uint64_t tensors = 0;
  std::uint64_t elements = 0;
  std::uint64_t tensor_bytes = 0;  // of all storages that tensors use
  std::uint64_t attachment_bytes = 0;
  std::uint64_t padding_bytes = 0;  // whatever is neither data, digests, index nor header
  std::map<Role, Share> by_role;
  std::map<DType, Share> by_dtype;
  // Ordinals of the tensors that share a storage, in registration order.
  std::vector<std::vector<std::uint32_t>> tied;
};

Survey survey(const Checkpoint& checkpoint);

// For each storage, how many tensors use it.
std::vector<std::uint32_t> storage_uses(const Checkpoint& checkpoint);

// Names of the feature bits that are set; unknown ones by number.
std::vector<std::string> feature_names(const FileInfo& file);

// "strided, tied, requires_grad, quantized": what is not plain about a tensor.
std::string flags_text(const TensorInfo& tensor, bool tied);

}  // namespace ingot::tools
