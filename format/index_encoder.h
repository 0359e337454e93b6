// The canonical encoding of an index, from whatever holds its content.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ingot/tensor.h"

#include "base/bytes.h"
#include "format/index_builder.h"
#include "format/index_generated.h"
#include "format/name_table.h"
#include "format/state_encode.h"

namespace ingot::format {

// The canonical encoding (docs/format.md, "Canonical form"): every call that puts something into
// the buffer is written out here, because generated builders order fields as their flatc pleases.
// FlatBuffers grow from their end to their start: what is created first lies last.
//
// Source: tensors() and attachments() give how many there are, tensor(i) and attachment(i) one with
// the members of TensorInfo and AttachmentInfo that are stored, storages() and storage(i) the same
// of storages, and name_hash(i) entry i of the table of names. Out: see index_builder.h.
template <typename Source, typename Out>
class IndexEncoder {
 public:
  // `state` is null when there is none.
  IndexEncoder(const Source& source, const FlatState* state, Out& out)
      : source_(source), state_(state), builder_(out) {}

  // Bytes of the index.
  std::uint64_t run() {
    const auto state = state_ != nullptr ? add_state() : Offset<fbs::StateTree>();
    const auto attachments = add_attachments();
    const auto tensors = add_tensors();
    const auto storages = builder_.template add_vector<fbs::Storage, const fbs::Storage*>(
        source_.storages(), [&](std::size_t i) { return source_.storage(i); });
    const auto name_tensors = builder_.template add_vector<std::uint32_t>(
        tensors.size(), [&](std::size_t i) { return source_.name_hash(i).tensor; });
    const auto name_hashes = builder_.template add_vector<std::uint64_t>(
        tensors.size(), [&](std::size_t i) { return source_.name_hash(i).hash; });
    const auto tensor_vector = builder_.add_vector(tensors);

    builder_.start_table();
    builder_.add_field(fbs::Index::VT_TENSORS, tensor_vector);
    builder_.add_field(fbs::Index::VT_STORAGES, storages);
    builder_.add_field(fbs::Index::VT_NAME_HASHES, name_hashes);
    builder_.add_field(fbs::Index::VT_NAME_TENSORS, name_tensors);
    builder_.add_field(fbs::Index::VT_ATTACHMENTS, attachments);
    builder_.add_field(fbs::Index::VT_STATE, state);
    builder_.finish(builder_.template end_table<fbs::Index>().o, fbs::IndexIdentifier());
    return builder_.size();
  }

 private:
  template <typename T>
  using Offset = flatbuffers::Offset<T>;
  template <typename T>
  using Vector = flatbuffers::Vector<T>;

  // Scalars whose bits are all zero are left out: zero is every default of the schema.
  template <typename T>
  void add(flatbuffers::voffset_t field, T value) {
    const T zero{};
    // Bits, not values: -0.0 is not left out. NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
    if (std::memcmp(&value, &zero, sizeof value) != 0) builder_.add_field(field, value);
  }

  // Null, which leaves the field out, when there is nothing to say.
  Offset<Vector<std::int64_t>> add_dimensions(std::span<const std::int64_t> values) {
    if (values.empty()) return {};
    return builder_.add_vector(values);
  }

  Offset<fbs::Quantization> add_quantization(const std::optional<Quantization>& quantization) {
    if (!quantization) return {};
    builder_.start_table();
    add(fbs::Quantization::VT_SCALE, quantization->scale);
    add(fbs::Quantization::VT_ZERO_POINT, quantization->zero_point);
    add(fbs::Quantization::VT_AXIS, quantization->axis);
    add(fbs::Quantization::VT_SCALES, quantization->scales_storage);
    add(fbs::Quantization::VT_ZERO_POINTS, quantization->zero_points_storage);
    add(fbs::Quantization::VT_SCHEME, static_cast<std::uint8_t>(quantization->scheme));
    return builder_.template end_table<fbs::Quantization>();
  }

  // A tensor's parts lie together: table, name, shape, strides, quantization, so that a look-up and
  // the validator's pass touch one or two cache lines.
  template <typename Tensor>
  Offset<fbs::Tensor> add_tensor(const Tensor& tensor) {
    const auto quantization = add_quantization(tensor.quantization);
    const auto strides = add_dimensions(tensor.strides);
    const auto shape = add_dimensions(tensor.shape);
    const auto name = builder_.add_string(tensor.name);
    builder_.start_table();
    add(fbs::Tensor::VT_BYTE_OFFSET, tensor.byte_offset);
    builder_.add_field(fbs::Tensor::VT_NAME, name);
    builder_.add_field(fbs::Tensor::VT_SHAPE, shape);
    builder_.add_field(fbs::Tensor::VT_STRIDES, strides);
    builder_.add_field(fbs::Tensor::VT_QUANTIZATION, quantization);
    add(fbs::Tensor::VT_STORAGE, tensor.storage);
    add(fbs::Tensor::VT_DTYPE, static_cast<std::uint8_t>(tensor.dtype));
    add(fbs::Tensor::VT_ROLE, static_cast<std::uint8_t>(tensor.role));
    add(fbs::Tensor::VT_REQUIRES_GRAD, static_cast<std::uint8_t>(tensor.requires_grad ? 1 : 0));
    return builder_.template end_table<fbs::Tensor>();
  }

  // From the last to the first, so that they lie in registration order.
  std::vector<Offset<fbs::Tensor>> add_tensors() {
    std::vector<Offset<fbs::Tensor>> offsets(source_.tensors());
    for (std::size_t i = offsets.size(); i-- > 0;) offsets[i] = add_tensor(source_.tensor(i));
    return offsets;
  }

  Offset<Vector<Offset<fbs::Attachment>>> add_attachments() {
    if (source_.attachments() == 0) return {};
    std::vector<Offset<fbs::Attachment>> offsets(source_.attachments());
    for (std::size_t i = offsets.size(); i-- > 0;) {
      const auto& attachment = source_.attachment(i);
      const auto media_type = builder_.add_string(attachment.media_type);
      const auto name = builder_.add_string(attachment.name);
      builder_.start_table();
      builder_.add_field(fbs::Attachment::VT_NAME, name);
      builder_.add_field(fbs::Attachment::VT_MEDIA_TYPE, media_type);
      add(fbs::Attachment::VT_STORAGE, attachment.storage);
      offsets[i] = builder_.template end_table<fbs::Attachment>();
    }
    return builder_.add_vector(offsets);
  }

  Offset<Vector<Offset<fbs::Blob>>> add_blobs() {
    if (state_->blobs.empty()) return {};
    std::vector<Offset<fbs::Blob>> offsets(state_->blobs.size());
    for (std::size_t i = offsets.size(); i-- > 0;) {
      const Bytes blob = state_->blobs[i];
      const auto data = builder_.template add_vector<std::uint8_t>(
          std::span(reinterpret_cast<const std::uint8_t*>(blob.data()), blob.size()));
      builder_.start_table();
      builder_.add_field(fbs::Blob::VT_DATA, data);
      offsets[i] = builder_.template end_table<fbs::Blob>();
    }
    return builder_.add_vector(offsets);
  }

  Offset<Vector<Offset<flatbuffers::String>>> add_strings() {
    if (state_->strings.empty()) return {};
    std::vector<Offset<flatbuffers::String>> offsets(state_->strings.size());
    for (std::size_t i = offsets.size(); i-- > 0;)
      offsets[i] = builder_.add_string(state_->strings[i]);
    return builder_.add_vector(offsets);
  }

  Offset<fbs::StateTree> add_state() {
    const auto blobs = add_blobs();
    const auto strings = add_strings();
    const auto node_vector = builder_.template add_vector<fbs::StateNode, const fbs::StateNode*>(
        state_->nodes.size(), [&](std::size_t i) {
          const FlatState::Node& n = state_->nodes[i];
          return fbs::StateNode(static_cast<std::uint8_t>(n.kind), n.key_kind, std::uint16_t{0},
                                n.children, n.key, n.value);
        });
    builder_.start_table();
    builder_.add_field(fbs::StateTree::VT_NODES, node_vector);
    builder_.add_field(fbs::StateTree::VT_STRINGS, strings);
    builder_.add_field(fbs::StateTree::VT_BLOBS, blobs);
    return builder_.template end_table<fbs::StateTree>();
  }

  const Source& source_;
  const FlatState* state_;
  IndexBuilder<Out> builder_;
};

}  // namespace ingot::format
