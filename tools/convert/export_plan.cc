#include "tools/convert/export_plan.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "io/file_system.h"
#include "tools/convert/state_keys.h"
#include "tools/read/packed_reader.h"
#include "tools/safetensors/encode.h"
#include "tools/safetensors/shard_index.h"
#include "tools/safetensors/types.h"

namespace ingot::tools {
namespace {

constexpr std::string_view kSingleName = "model.safetensors";
constexpr std::string_view kIndexName = "model.safetensors.index.json";

class Planner {
 public:
  Planner(const Checkpoint& checkpoint, const std::string& out, const ExportOptions& options)
      : checkpoint_(checkpoint), out_(out), options_(options), state_(split_state(checkpoint)) {}

  Result<ExportPlan> run() {
    INGOT_RETURN_IF_ERROR(check_extra());
    for (std::uint32_t i = 0; i < checkpoint_.tensor_count(); ++i) {
      const TensorInfo info = checkpoint_.info(i);
      if (info.role == Role::kOptimizerState) continue;
      INGOT_RETURN_IF_ERROR(add(info));
    }
    INGOT_RETURN_IF_ERROR(check_tied());
    split_into_files();
    for (ExportFile& file : plan_.files) {
      safetensors::order_for_alignment(file.tensors);
      safetensors::place(file.tensors);
      INGOT_ASSIGN_OR_RETURN(file.header, encode(file));
    }
    make_index();
    name_folder();
    return std::move(plan_);
  }

 private:
  ErrorBuilder unsupported(std::string_view what) const {
    ErrorBuilder error = make_error(Code::kUnsupported, what);
    error.file(checkpoint_.file().path);
    return error;
  }

  // What .safetensors has no place for.
  Status check_extra() {
    std::vector<std::string>& extra = plan_.dropped;
    std::uint64_t optimizer_tensors = 0;
    checkpoint_.for_each({.role = Role::kOptimizerState},
                         [&](const TensorInfo&) { ++optimizer_tensors; });
    if (optimizer_tensors > 0) {
      extra.push_back("optimizer state (" + std::to_string(optimizer_tensors) +
                      (optimizer_tensors == 1 ? " tensor)" : " tensors)"));
    }
    for (std::uint32_t i = 0; i < checkpoint_.attachment_count(); ++i) {
      extra.push_back("attachment \"" + std::string(checkpoint_.attachment(i).name) + "\"");
    }
    extra.insert(extra.end(), state_.extra.begin(), state_.extra.end());
    if (extra.empty() || options_.drop_extra) return {};
    return unsupported(".safetensors cannot hold: " + joined_names(extra))
        .advice("--drop-extra leaves them out");
  }

  Status add(const TensorInfo& info) {
    if (safetensors::type_name(info.dtype).empty() || info.quantization) {
      return unsupported(".safetensors has no dtype " + std::string(dtype_name(info.dtype)))
          .tensor(info.name);
    }
    if (info.name == safetensors::kMetadataKey) {
      return unsupported("a name that .safetensors reserves").tensor(info.name);
    }
    safetensors::Tensor tensor;
    tensor.name = info.name;
    tensor.dtype = info.dtype;
    tensor.shape.assign(info.shape.begin(), info.shape.end());
    tensor.end = packed_bytes(info);
    tensors_.push_back(std::move(tensor));
    if (info.bytes > 0) storages_.emplace_back(info.storage, info.ordinal);
    return {};
  }

  Status check_tied() {
    std::sort(storages_.begin(), storages_.end());
    std::vector<std::string> names;
    for (std::size_t i = 0; i < storages_.size(); ++i) {
      const bool shared =
          (i > 0 && storages_[i - 1].first == storages_[i].first) ||
          (i + 1 < storages_.size() && storages_[i + 1].first == storages_[i].first);
      if (shared) names.emplace_back(checkpoint_.info(storages_[i].second).name);
    }
    if (names.empty()) return {};
    if (!options_.duplicate_tied) {
      return unsupported("tensors share storages, which .safetensors cannot express: " +
                         joined_names(names))
          .advice("--duplicate-tied writes each of them");
    }
    plan_.duplicated = std::move(names);
    return {};
  }

  void split_into_files() {
    if (options_.shard_bytes == 0) {
      plan_.files.push_back({.name = out_, .tensors = std::move(tensors_), .header = {}});
      return;
    }
    std::uint64_t filled = 0;
    for (safetensors::Tensor& tensor : tensors_) {
      if (plan_.files.empty() || (filled > 0 && filled + tensor.bytes() > options_.shard_bytes)) {
        plan_.files.emplace_back();
        filled = 0;
      }
      filled += tensor.bytes();
      plan_.files.back().tensors.push_back(std::move(tensor));
    }
    if (plan_.files.empty()) plan_.files.emplace_back();
    const std::size_t count = plan_.files.size();
    for (std::size_t i = 0; i < count; ++i) {
      plan_.files[i].name =
          count == 1 ? std::string(kSingleName) : safetensors::shard_name(kModelStem, i + 1, count);
    }
  }

  Result<std::string> encode(const ExportFile& file) const {
    return safetensors::encode_header(file.tensors, state_.metadata, file.name);
  }

  void make_index() {
    if (plan_.files.size() < 2) return;
    safetensors::ShardIndex index;
    if (!state_.index_metadata.is_null()) index.metadata = state_.index_metadata;
    for (const ExportFile& file : plan_.files) {
      for (const safetensors::Tensor& tensor : file.tensors) {
        index.weight_map.emplace_back(tensor.name, file.name);
      }
    }
    plan_.index = safetensors::encode_shard_index(index, plan_.data_bytes());
  }

  void name_folder() {
    const bool shards = options_.shard_bytes != 0;
    if (!shards && io::name_of(out_) != kSingleName) return;
    const std::string folder = shards ? out_ : io::folder_of(out_);
    plan_.folder = {.single = io::join(folder, kSingleName), .index = io::join(folder, kIndexName)};
  }

  const Checkpoint& checkpoint_;
  const std::string& out_;
  const ExportOptions& options_;
  ExportedState state_;
  std::vector<safetensors::Tensor> tensors_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> storages_;  // storage, ordinal
  ExportPlan plan_;
};

}  // namespace

std::uint64_t ExportPlan::data_bytes() const {
  std::uint64_t bytes = 0;
  for (const ExportFile& file : files) bytes += file.data_bytes();
  return bytes;
}

Result<ExportPlan> plan_export(const Checkpoint& checkpoint, const std::string& out,
                               const ExportOptions& options) {
  return Planner(checkpoint, out, options).run();
}

}  // namespace ingot::tools
