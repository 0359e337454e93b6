// model.safetensors.index.json: which shard holds which tensor (the Hugging Face convention).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingot/status.h"

#include "io/file.h"

namespace ingot::safetensors {

inline constexpr std::string_view kIndexSuffix = ".safetensors.index.json";
inline constexpr std::uint64_t kMaxShardIndexBytes = 100'000'000;

struct ShardIndex {
  std::vector<std::pair<std::string, std::string>> weight_map;  // tensor, shard; by tensor
  nlohmann::json metadata = nlohmann::json::object();
};

// kCorrupt when it is not JSON; kRejected when a key appears twice, "weight_map" is missing or
// holds what is not a string, or a shard's name is more than a plain file name.
Result<ShardIndex> parse_shard_index(std::string_view text, std::string_view path);

// Of a file that is open. Also kRejected when it is over the limit, and errors of reading.
Result<ShardIndex> read_shard_index(io::File& file, std::string_view path);

// As the Hugging Face libraries write it: sorted keys, two spaces, an end of line. `metadata`'s
// "total_size" is set.
std::string encode_shard_index(const ShardIndex& index, std::uint64_t total_bytes);

// Whether a name is safe to open in a folder: [A-Za-z0-9_-][A-Za-z0-9._-]{0,254}.
bool is_plain_name(std::string_view name);

// "model-00002-of-00007.safetensors", numbers from 1.
std::string shard_name(std::string_view stem, std::size_t number, std::size_t count);
// Whether shard_name() could have made it, with five digits each.
bool is_shard_name(std::string_view stem, std::string_view name);

}  // namespace ingot::safetensors
