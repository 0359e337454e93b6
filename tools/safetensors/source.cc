#include "tools/safetensors/source.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

#include "base/error.h"

namespace ingot::safetensors {
namespace {

constexpr std::string_view kDefaultName = "model.safetensors";

bool is_folder(const std::string& path) {
  struct ::stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// What a folder holds: its shard index, or its only file.
Result<std::string> find_in_folder(io::FileSystem& file_system, const std::string& folder) {
  for (const std::string& name :
       {std::string(kDefaultName) + ".index.json", std::string(kDefaultName)}) {
    std::string path = io::join(folder, name);
    if (file_system.exists(path)) return path;
  }
  return make_error(Code::kNotFound,
                    "the folder has neither model.safetensors.index.json nor model.safetensors")
      .file(folder);
}

}  // namespace

Result<Source> Source::open(io::FileSystem& file_system, const std::string& path,
                            const SourceOptions& options) {
  std::string found = path;
  const bool in_folder = is_folder(path);
  if (in_folder) {
    INGOT_ASSIGN_OR_RETURN(found, find_in_folder(file_system, path));
  }
  Source source;
  if (found.ends_with(".json")) {
    INGOT_RETURN_IF_ERROR(source.read_index(file_system, found));
    if (in_folder) INGOT_RETURN_IF_ERROR(source.check_unambiguous(file_system, path));
    INGOT_RETURN_IF_ERROR(source.open_shards(file_system, found, options));
  } else {
    INGOT_RETURN_IF_ERROR(source.open_single(file_system, found));
  }
  source.merge_metadata();
  return source;
}

Status Source::open_single(io::FileSystem& file_system, const std::string& path) {
  SourceFile file;
  INGOT_ASSIGN_OR_RETURN(file.opened, open_regular(file_system, path, Symlinks::kFollow));
  INGOT_ASSIGN_OR_RETURN(file.header, read_header(file.opened));
  files_.push_back(std::move(file));
  return {};
}

Status Source::read_index(io::FileSystem& file_system, const std::string& path) {
  INGOT_ASSIGN_OR_RETURN(const OpenedFile opened,
                         open_regular(file_system, path, Symlinks::kFollow));
  INGOT_ASSIGN_OR_RETURN(index_, read_shard_index(*opened.file, path));
  return {};
}

// A file beside the index is another model, mostly an older one. Loaders do not agree which of the
// two counts: some take the file (transformers), some the index, some every *.safetensors.
Status Source::check_unambiguous(io::FileSystem& file_system, const std::string& folder) const {
  const auto& map = index_->weight_map;
  const bool named = std::any_of(map.begin(), map.end(),
                                 [](const auto& entry) { return entry.second == kDefaultName; });
  if (named || !file_system.exists(io::join(folder, kDefaultName))) return {};
  return make_error(Code::kInvalidArgument,
                    "the folder has both model.safetensors.index.json and model.safetensors, and "
                    "the one does not name the other")
      .file(folder)
      .advice("name the one that is meant");
}

Status Source::open_shards(io::FileSystem& file_system, const std::string& path,
                           const SourceOptions& options) {
  std::set<std::string> names;
  for (const auto& [tensor, shard] : index_->weight_map) names.insert(shard);
  const std::string folder = io::folder_of(path);
  for (const std::string& name : names) {
    SourceFile file;
    INGOT_ASSIGN_OR_RETURN(
        file.opened, open_regular(file_system, io::join(folder, name),
                                  options.follow_symlinks ? Symlinks::kFollow : Symlinks::kRefuse));
    INGOT_ASSIGN_OR_RETURN(file.header, read_header(file.opened));
    files_.push_back(std::move(file));
  }
  return check_weight_map(path);
}

// Every tensor of every shard is in the map, under that shard, and the map names no other.
Status Source::check_weight_map(const std::string& path) const {
  using Entry = std::tuple<std::string_view, std::string_view>;  // tensor, shard
  std::vector<Entry> found;
  for (const SourceFile& file : files_) {
    for (const Tensor& tensor : file.header.tensors) {
      found.emplace_back(tensor.name, io::name_of(file.opened.path));
    }
  }
  std::sort(found.begin(), found.end());
  const auto twice = std::adjacent_find(
      found.begin(), found.end(),
      [](const auto& a, const auto& b) { return std::get<0>(a) == std::get<0>(b); });
  const auto error = [&](const std::string& what, std::string_view tensor) {
    return make_error(Code::kRejected, what).file(path).at(Region::kFile).tensor(tensor);
  };
  if (twice != found.end()) {
    return error("a tensor is in two shards, " + std::string(std::get<1>(*twice)) + " and " +
                     std::string(std::get<1>(*std::next(twice))),
                 std::get<0>(*twice));
  }
  std::vector<Entry> expected(index_->weight_map.begin(), index_->weight_map.end());
  std::sort(expected.begin(), expected.end());
  const auto [e, f] = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  if (e == expected.end() && f == found.end()) return {};
  if (f == found.end() || (e != expected.end() && *e < *f)) {
    return error("shard " + std::string(std::get<1>(*e)) +
                     " lacks a tensor that the shard index says it has",
                 std::get<0>(*e));
  }
  return error("shard " + std::string(std::get<1>(*f)) +
                   " has a tensor that the shard index does not say it has",
               std::get<0>(*f));
}

void Source::merge_metadata() {
  std::unordered_map<std::string_view, const std::string*> seen;
  for (const SourceFile& file : files_) {
    if (!file.header.metadata) continue;
    if (!metadata_) metadata_.emplace();
    for (const auto& [key, value] : *file.header.metadata) {
      const auto [at, inserted] = seen.emplace(key, &value);
      if (inserted) {
        metadata_->emplace_back(key, value);
      } else if (*at->second != value &&
                 std::find(conflicts_.begin(), conflicts_.end(), key) == conflicts_.end()) {
        conflicts_.push_back(key);
      }
    }
  }
}

std::uint64_t Source::tensor_count() const {
  std::uint64_t count = 0;
  for (const SourceFile& file : files_) count += file.header.tensors.size();
  return count;
}

std::uint64_t Source::data_bytes() const {
  std::uint64_t bytes = 0;
  for (const SourceFile& file : files_) bytes += file.header.data_bytes();
  return bytes;
}

nlohmann::json Source::index_metadata() const {
  if (!index_) return nullptr;
  nlohmann::json metadata = index_->metadata;
  metadata.erase("total_size");
  if (metadata.empty()) return nullptr;
  return metadata;
}

Status Source::check_unchanged() const {
  for (const SourceFile& file : files_) {
    INGOT_RETURN_IF_ERROR(safetensors::check_unchanged(file.opened));
  }
  return {};
}

}  // namespace ingot::safetensors
