#include <algorithm>
#include <vector>

#include "base/error.h"
#include "format/index_encoder.h"
#include "format/index_view.h"
#include "format/tensor_fields.h"
#include "format/validate.h"

namespace ingot::format {
namespace {

// What the encoder takes, out of a valid index: nothing is copied but the state tree's nodes.
class IndexSource {
 public:
  explicit IndexSource(Bytes index)
      : view_(index), root_(*flatbuffers::GetRoot<fbs::Index>(index.data())) {}

  std::size_t tensors() const { return view_.tensor_count(); }
  TensorInfo tensor(std::size_t i) const {
    const auto ordinal = static_cast<std::uint32_t>(i);
    fields_.read(root_.tensors()->Get(ordinal));
    if (fields_.quantization != nullptr) return view_.tensor(ordinal);
    return {.name = {fields_.name->c_str(), fields_.name->size()},
            .dtype = static_cast<DType>(fields_.dtype),
            .role = static_cast<Role>(fields_.role),
            .requires_grad = fields_.requires_grad != 0,
            .shape = span_of(fields_.shape),
            .strides = span_of(fields_.strides),
            .storage = fields_.storage,
            .byte_offset = fields_.byte_offset,
            .quantization = std::nullopt};
  }
  std::size_t attachments() const { return view_.attachment_count(); }
  AttachmentInfo attachment(std::size_t i) const {
    return view_.attachment(static_cast<std::uint32_t>(i));
  }
  std::size_t storages() const { return root_.storages()->size(); }
  const fbs::Storage& storage(std::size_t i) const {
    return *root_.storages()->Get(static_cast<flatbuffers::uoffset_t>(i));
  }
  NameHash name_hash(std::size_t i) const {
    const auto at = static_cast<flatbuffers::uoffset_t>(i);
    return {root_.name_hashes()->Get(at), root_.name_tensors()->Get(at)};
  }

  std::optional<FlatState> state() const {
    const fbs::StateTree* tree = root_.state();
    if (tree == nullptr) return std::nullopt;
    FlatState state;
    state.nodes.reserve(tree->nodes()->size());
    for (const fbs::StateNode* node : *tree->nodes()) {
      state.nodes.push_back({.kind = static_cast<StateKind>(node->kind()),
                             .key_kind = node->key_kind(),
                             .children = node->children(),
                             .key = node->key(),
                             .value = node->value()});
    }
    if (tree->strings() != nullptr) {
      for (const flatbuffers::String* text : *tree->strings()) {
        state.strings.emplace_back(text->c_str(), text->size());
      }
    }
    if (tree->blobs() != nullptr) {
      for (const fbs::Blob* blob : *tree->blobs()) {
        state.blobs.push_back(std::as_bytes(std::span(blob->data()->data(), blob->data()->size())));
      }
    }
    return state;
  }

 private:
  IndexView view_;
  const fbs::Index& root_;
  mutable TensorFields fields_;  // keeps what tables of one shape share
};

}  // namespace

Status check_canonical(Bytes index, std::string_view path) {
  const IndexSource source(index);
  const std::optional<FlatState> state = source.state();
  const FlatState* tree = state ? &*state : nullptr;
  ToComparison comparison(index);
  const std::uint64_t bytes = IndexEncoder(source, tree, comparison).run();
  if (comparison.equal()) return {};
  std::vector<std::byte> memory(bytes);
  ToMemory out(memory);
  IndexEncoder(source, tree, out).run();
  const Bytes canonical = out.bytes();
  const auto found =
      std::mismatch(index.begin(), index.end(), canonical.begin(), canonical.end()).first;
  return make_error(Code::kRejected, "F-38: index is not in canonical form")
      .file(path)
      .at(Region::kIndex)
      .expected("the " + std::to_string(canonical.size()) + " bytes that its content makes")
      .found("a difference at byte " + std::to_string(found - index.begin()) + " of " +
             std::to_string(index.size()));
}

}  // namespace ingot::format
