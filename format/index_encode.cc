#include <algorithm>
#include <span>
#include <string>

#include "base/error.h"
#include "format/constants.h"
#include "format/digest.h"
#include "format/index_encoder.h"
#include "format/index_model.h"

namespace ingot::format {
namespace {

std::vector<NameHash> sorted_hashes(const std::vector<IndexModel::Tensor>& tensors) {
  std::vector<NameHash> hashes(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    hashes[i] = {.hash = xxh3_64(as_bytes(tensors[i].name)),
                 .tensor = static_cast<std::uint32_t>(i)};
  }
  std::sort(hashes.begin(), hashes.end(), [&](const NameHash& a, const NameHash& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    return tensors[a.tensor].name < tensors[b.tensor].name;
  });
  return hashes;
}

std::optional<std::uint32_t> find_tensor(const std::vector<IndexModel::Tensor>& tensors,
                                         const std::vector<NameHash>& hashes,
                                         std::string_view name) {
  const std::uint64_t hash = xxh3_64(as_bytes(name));
  auto it = std::lower_bound(hashes.begin(), hashes.end(), hash,
                             [](const NameHash& a, std::uint64_t b) { return a.hash < b; });
  for (; it != hashes.end() && it->hash == hash; ++it) {
    if (tensors[it->tensor].name == name) return it->tensor;
  }
  return std::nullopt;
}

// No less than the bytes the encoding takes: the builder itself only asserts its 2 GiB.
std::uint64_t bound_bytes(const IndexModel& model, const FlatState& state) {
  constexpr std::uint64_t kString = 4 + 4 + 1 + 3;       // offset, length, terminator, padding
  constexpr std::uint64_t kVector = 4 + 4 + 4;           // offset, length, padding
  constexpr std::uint64_t kTable = 4 + 4 + 40 + 8 + 32;  // offset, fields, padding, vtable
  std::uint64_t bytes = 4096;
  for (const auto& tensor : model.tensors) {
    bytes += kTable + kString + tensor.name.size() + 2 * kVector + 12 +
             8 * (tensor.shape.size() + tensor.strides.size());
    if (tensor.quantization) bytes += kTable;
  }
  bytes += sizeof(fbs::Storage) * model.storages.size();
  for (const auto& attachment : model.attachments) {
    bytes += kTable + 2 * kString + attachment.name.size() + attachment.media_type.size();
  }
  bytes += sizeof(fbs::StateNode) * state.nodes.size();
  for (const std::string_view text : state.strings) bytes += kString + text.size();
  for (const Bytes blob : state.blobs) bytes += kTable + kVector + blob.size();
  return bytes;
}

// What the encoder takes, out of a model.
class ModelSource {
 public:
  explicit ModelSource(const IndexModel& model)
      : model_(model), hashes_(sorted_hashes(model.tensors)) {
    storages_.reserve(model.storages.size());
    for (const auto& s : model.storages) {
      storages_.emplace_back(s.offset, s.bytes, s.first_chunk, s.file, s.role, std::uint8_t{0},
                             std::uint16_t{0});
    }
  }

  std::size_t tensors() const { return model_.tensors.size(); }
  const IndexModel::Tensor& tensor(std::size_t i) const { return model_.tensors[i]; }
  std::size_t attachments() const { return model_.attachments.size(); }
  const IndexModel::Attachment& attachment(std::size_t i) const { return model_.attachments[i]; }
  std::span<const fbs::Storage> storages() const { return storages_; }
  const NameHash& name_hash(std::size_t i) const { return hashes_[i]; }
  const std::vector<NameHash>& name_hashes() const { return hashes_; }

 private:
  const IndexModel& model_;
  std::vector<NameHash> hashes_;
  std::vector<fbs::Storage> storages_;
};

}  // namespace

Result<std::vector<std::byte>> encode_index(const IndexModel& model, std::uint64_t max_bytes) {
  const ModelSource source(model);
  FlatState state;
  if (model.state) {
    INGOT_ASSIGN_OR_RETURN(state, flatten_state(*model.state, [&](std::string_view name) {
                             return find_tensor(model.tensors, source.name_hashes(), name);
                           }));
  }
  const std::uint64_t bound = bound_bytes(model, state);
  if (bound > max_bytes) {
    return make_error(Code::kInvalidArgument, "index is too large")
        .expected("at most " + std::to_string(max_bytes) + " bytes")
        .found(bound);
  }
  IndexEncoder<ModelSource> encoder(source, model.state ? &state : nullptr,
                                    static_cast<std::size_t>(bound));
  encoder.run();
  const Bytes bytes = encoder.bytes();
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

}  // namespace ingot::format
