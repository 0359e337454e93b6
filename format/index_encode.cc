#include <algorithm>
#include <cstring>
#include <span>
#include <string>

#include "base/checked.h"
#include "base/error.h"
#include "format/constants.h"
#include "format/digest.h"
#include "format/index_encoder.h"
#include "format/index_model.h"

namespace ingot::format {
namespace {

std::optional<std::uint32_t> find_tensor(const IndexContent& content, std::string_view name) {
  const std::uint64_t hash = xxh3_64(as_bytes(name));
  const std::span<const NameHash> names = content.names();
  auto it = std::lower_bound(names.begin(), names.end(), hash,
                             [](const NameHash& a, std::uint64_t b) { return a.hash < b; });
  for (; it != names.end() && it->hash == hash; ++it) {
    if (content.tensor(it->tensor).name == name) return it->tensor;
  }
  return std::nullopt;
}

// No less than the bytes the encoding takes: the builder itself only asserts its 2 GiB.
std::uint64_t bound_bytes(const IndexContent& content, const FlatState& state) {
  constexpr std::uint64_t kString = 4 + 4 + 1 + 3;       // offset, length, terminator, padding
  constexpr std::uint64_t kVector = 4 + 4 + 4;           // offset, length, padding
  constexpr std::uint64_t kTable = 4 + 4 + 40 + 8 + 32;  // offset, fields, padding, vtable
  std::uint64_t bytes = 4096;
  for (std::size_t i = 0; i < content.tensors(); ++i) {
    const TensorInfo tensor = content.tensor(i);
    bytes += kTable + kString + tensor.name.size() + 2 * kVector + 12 +
             8 * (tensor.shape.size() + tensor.strides.size());
    if (tensor.quantization) bytes += kTable;
  }
  bytes += sizeof(fbs::Storage) * content.storages().size();
  for (std::size_t i = 0; i < content.attachments(); ++i) {
    const AttachmentInfo attachment = content.attachment(i);
    bytes += kTable + 2 * kString + attachment.name.size() + attachment.media_type.size();
  }
  bytes += sizeof(fbs::StateNode) * state.nodes.size();
  for (const std::string_view text : state.strings) bytes += kString + text.size();
  for (const Bytes blob : state.blobs) bytes += kTable + kVector + blob.size();
  return bytes;
}

// What the encoder takes, out of content.
class ContentSource {
 public:
  explicit ContentSource(const IndexContent& content)
      : content_(content), storages_(content.storages()), names_(content.names()) {}

  std::size_t tensors() const { return content_.tensors(); }
  TensorInfo tensor(std::size_t i) const { return content_.tensor(i); }
  std::size_t attachments() const { return content_.attachments(); }
  AttachmentInfo attachment(std::size_t i) const { return content_.attachment(i); }
  std::size_t storages() const { return storages_.size(); }
  fbs::Storage storage(std::size_t i) const {
    const IndexStorage& s = storages_[i];
    return {s.offset, s.bytes, s.first_chunk, s.file, s.role, std::uint8_t{0}, std::uint16_t{0}};
  }
  const NameHash& name_hash(std::size_t i) const { return names_[i]; }

 private:
  const IndexContent& content_;
  std::span<const IndexStorage> storages_;
  std::span<const NameHash> names_;
};

// The content of a model.
class ModelContent : public IndexContent {
 public:
  explicit ModelContent(const IndexModel& model)
      : model_(model),
        names_(make_name_table(model.tensors.size(), [&](std::size_t i) -> std::string_view {
          return model.tensors[i].name;
        })) {}

  std::size_t tensors() const override { return model_.tensors.size(); }
  TensorInfo tensor(std::size_t i) const override {
    const IndexModel::Tensor& t = model_.tensors[i];
    return {.name = t.name,
            .dtype = t.dtype,
            .role = t.role,
            .requires_grad = t.requires_grad,
            .shape = t.shape,
            .strides = t.strides,
            .storage = t.storage,
            .byte_offset = t.byte_offset,
            .quantization = t.quantization};
  }
  std::size_t attachments() const override { return model_.attachments.size(); }
  AttachmentInfo attachment(std::size_t i) const override {
    const IndexModel::Attachment& a = model_.attachments[i];
    return {.name = a.name, .media_type = a.media_type, .storage = a.storage};
  }
  std::span<const IndexStorage> storages() const override { return model_.storages; }
  std::span<const NameHash> names() const override { return names_; }
  const StateValue* state() const override { return model_.state ? &*model_.state : nullptr; }

 private:
  const IndexModel& model_;
  std::vector<NameHash> names_;
};

// The end of the memory is where the index was put; its beginning lies where it comes to lie.
Bytes align_to_16(MutableBytes index) {
  const std::size_t over = reinterpret_cast<std::uintptr_t>(index.data()) % 16;
  if (over == 0) return index;
  std::byte* begin = index.data() - over;
  std::memmove(begin, index.data(), index.size());
  return {begin, index.size()};
}

}  // namespace

Result<Bytes> encode_index(const IndexContent& content, const IndexMemory& memory,
                           std::uint64_t max_bytes) {
  FlatState state;
  if (content.state() != nullptr) {
    const auto resolve = [&](std::string_view name) { return find_tensor(content, name); };
    INGOT_ASSIGN_OR_RETURN(state, flatten_state(*content.state(), resolve));
  }
  const std::uint64_t bound = bound_bytes(content, state);
  if (bound > max_bytes) {
    return make_error(Code::kInvalidArgument, "index is too large")
        .expected("at most " + std::to_string(max_bytes) + " bytes")
        .found(bound);
  }
  const std::uint64_t room_bytes = align_up(bound, 16);
  INGOT_ASSIGN_OR_RETURN(const MutableBytes room, memory(room_bytes));
  ToMemory out(room.first(room_bytes));
  const ContentSource source(content);
  IndexEncoder(source, content.state() != nullptr ? &state : nullptr, out).run();
  if (!out.fits()) return make_error(Code::kInternal, "the index is larger than its bound");
  return align_to_16(out.bytes());
}

Result<std::vector<std::byte>> encode_index(const IndexModel& model, std::uint64_t max_bytes) {
  std::vector<std::byte> memory;
  const auto allocate = [&](std::uint64_t bytes) -> Result<MutableBytes> {
    memory.resize(bytes);
    return MutableBytes(memory);
  };
  INGOT_ASSIGN_OR_RETURN(const Bytes index, encode_index(ModelContent(model), allocate, max_bytes));
  return std::vector<std::byte>(index.begin(), index.end());
}

}  // namespace ingot::format
