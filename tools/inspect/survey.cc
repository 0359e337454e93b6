#include "tools/inspect/survey.h"

#include <algorithm>

#include "format/constants.h"

namespace ingot::tools {
namespace {

// Adds up storages, each once.
class StorageCounter {
 public:
  explicit StorageCounter(const Checkpoint& checkpoint)
      : checkpoint_(checkpoint), seen_(checkpoint.storage_count(), false) {}

  // Bytes of the storage the first time, then 0.
  std::uint64_t take(std::uint32_t storage) {
    if (seen_[storage]) return 0;
    seen_[storage] = true;
    return checkpoint_.storage(storage).bytes;
  }
  std::uint64_t take(const TensorInfo& tensor) {
    std::uint64_t bytes = take(tensor.storage);
    const bool per_channel =
        tensor.quantization && tensor.quantization->scheme != QuantizationScheme::kPerTensorAffine;
    if (per_channel) {
      bytes += take(tensor.quantization->scales_storage);
      bytes += take(tensor.quantization->zero_points_storage);
    }
    return bytes;
  }

 private:
  const Checkpoint& checkpoint_;
  std::vector<bool> seen_;
};

std::vector<std::vector<std::uint32_t>> tied_groups(const Checkpoint& checkpoint) {
  const std::vector<std::uint32_t> uses = storage_uses(checkpoint);
  std::map<std::uint32_t, std::vector<std::uint32_t>> groups;
  checkpoint.for_each({}, [&](const TensorInfo& tensor) {
    if (uses[tensor.storage] > 1) groups[tensor.storage].push_back(tensor.ordinal);
  });
  std::vector<std::vector<std::uint32_t>> tied;
  tied.reserve(groups.size());
  for (auto& [storage, ordinals] : groups) tied.push_back(std::move(ordinals));
  std::sort(tied.begin(), tied.end());
  return tied;
}

}  // namespace

std::vector<std::uint32_t> storage_uses(const Checkpoint& checkpoint) {
  std::vector<std::uint32_t> uses(checkpoint.storage_count(), 0);
  checkpoint.for_each({}, [&](const TensorInfo& tensor) { ++uses[tensor.storage]; });
  return uses;
}

Survey survey(const Checkpoint& checkpoint) {
  Survey result;
  StorageCounter counter(checkpoint);
  checkpoint.for_each({}, [&](const TensorInfo& tensor) {
    const std::uint64_t bytes = counter.take(tensor);
    ++result.tensors;
    result.elements += tensor.numel();
    result.tensor_bytes += bytes;
    for (Share* share : {&result.by_role[tensor.role], &result.by_dtype[tensor.dtype]}) {
      ++share->tensors;
      share->bytes += bytes;
    }
  });
  for (std::uint32_t i = 0; i < checkpoint.attachment_count(); ++i) {
    result.attachment_bytes += checkpoint.attachment(i).bytes;
  }
  const FileInfo& file = checkpoint.file();
  const std::uint64_t accounted = 2 * format::kPageBytes + result.tensor_bytes +
                                  result.attachment_bytes + file.digest_table_bytes +
                                  file.index_bytes;
  result.padding_bytes = file.file_bytes > accounted ? file.file_bytes - accounted : 0;
  result.tied = tied_groups(checkpoint);
  return result;
}

std::vector<std::string> feature_names(const FileInfo& file) {
  std::vector<std::string> names;
  const auto add = [&](std::uint64_t bits, std::uint64_t known, std::string_view known_name,
                       std::string_view kind) {
    for (int bit = 0; bit < 64; ++bit) {
      const std::uint64_t mask = std::uint64_t{1} << bit;
      if ((bits & mask) == 0) continue;
      names.push_back(mask == known ? std::string(known_name)
                                    : std::string(kind) + " bit " + std::to_string(bit));
    }
  };
  add(file.required_features, 0, "", "required");
  add(file.optional_features, format::kOptionalSha256, "sha256", "optional");
  return names;
}

std::string flags_text(const TensorInfo& tensor, bool tied) {
  std::string text;
  const auto add = [&](bool is, std::string_view name) {
    if (!is) return;
    if (!text.empty()) text += ", ";
    text += name;
  };
  add(tied, "tied");
  add(!tensor.is_contiguous(), "strided");
  add(tensor.requires_grad, "requires_grad");
  add(tensor.quantization.has_value(), "quantized");
  return text;
}

}  // namespace ingot::tools
