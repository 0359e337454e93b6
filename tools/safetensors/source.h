// One .safetensors file or a set of shards, opened and checked as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ingot/status.h"

#include "io/file_system.h"
#include "tools/safetensors/header.h"
#include "tools/safetensors/open_file.h"
#include "tools/safetensors/shard_index.h"

namespace ingot::safetensors {

struct SourceFile {
  OpenedFile opened;
  Header header;
};

struct SourceOptions {
  bool follow_symlinks = false;  // of shards; the Hugging Face cache consists of symbolic links
};

// All shards are open and their headers checked: names are unique across them and exactly those
// of the shard index. Tensors are ordered by shard name, then by their data. Const functions may be
// called from several threads.
class Source {
 public:
  // `path` is a .safetensors file, a *.safetensors.index.json, or a folder with either of
  // model.safetensors.index.json and model.safetensors. One with both, where the index does not
  // name that file, is kInvalidArgument: they are two models. `file_system` must outlive the
  // source.
  static Result<Source> open(io::FileSystem& file_system, const std::string& path,
                             const SourceOptions& options = {});

  const std::vector<SourceFile>& files() const { return files_; }
  bool is_sharded() const { return index_.has_value(); }
  std::uint64_t tensor_count() const;
  std::uint64_t data_bytes() const;

  // Metadata of all shards as one, in the order of its first appearance; absent when none has any.
  const std::optional<Metadata>& metadata() const { return metadata_; }
  // Keys whose values differ between shards: the first one's is in metadata().
  const std::vector<std::string>& conflicting_metadata() const { return conflicts_; }
  // "metadata" of the shard index but for "total_size"; null when there is none.
  nlohmann::json index_metadata() const;

  Status check_unchanged() const;

 private:
  Status open_single(io::FileSystem& file_system, const std::string& path);
  Status read_index(io::FileSystem& file_system, const std::string& path);
  Status check_unambiguous(io::FileSystem& file_system, const std::string& folder) const;
  Status open_shards(io::FileSystem& file_system, const std::string& path,
                     const SourceOptions& options);
  Status check_weight_map(const std::string& path) const;
  void merge_metadata();

  std::vector<SourceFile> files_;
  std::optional<ShardIndex> index_;
  std::optional<Metadata> metadata_;
  std::vector<std::string> conflicts_;
};

}  // namespace ingot::safetensors
