#include "tests/support/hostile_index.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>

#include "base/checked.h"
#include "format/digest.h"
#include "format/index_generated.h"
#include "format/index_view.h"
#include "format/layout.h"
#include "format/validate.h"

namespace ingot::testing {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

class HostileEncoder {
 public:
  explicit HostileEncoder(const HostileIndex& index) : index_(index) {}

  std::vector<std::byte> run() {
    const auto state = index_.state ? add_state(*index_.state) : Offset<fbs::StateTree>();
    const auto files = add_files();
    const auto attachments = add_attachments();
    std::vector<Offset<fbs::Tensor>> tensors(index_.tensors.size());
    for (std::size_t i = tensors.size(); i-- > 0;) tensors[i] = add_tensor(index_.tensors[i]);
    if (!tensors.empty()) repeat(tensors, index_.repeat_tensor);
    const auto storages = add_storages();
    const auto ordinals = vector_or_null(index_.name_tensors);
    const auto hashes = vector_or_null(index_.name_hashes);
    const auto tensor_vector = builder_.CreateVector(tensors);
    const auto start = builder_.StartTable();
    builder_.AddOffset(fbs::Index::VT_TENSORS, tensor_vector);
    builder_.AddOffset(fbs::Index::VT_STORAGES, storages);
    builder_.AddOffset(fbs::Index::VT_NAME_HASHES, hashes);
    builder_.AddOffset(fbs::Index::VT_NAME_TENSORS, ordinals);
    builder_.AddOffset(fbs::Index::VT_ATTACHMENTS, attachments);
    builder_.AddOffset(fbs::Index::VT_STATE, state);
    builder_.AddOffset(fbs::Index::VT_FILES, files);
    builder_.Finish(Offset<fbs::Index>(builder_.EndTable(start)), index_.identifier.c_str());
    const auto bytes = std::as_bytes(std::span(builder_.GetBufferPointer(), builder_.GetSize()));
    return {bytes.begin(), bytes.end()};
  }

 private:
  template <typename T>
  Offset<flatbuffers::Vector<T>> vector_or_null(const std::optional<std::vector<T>>& values) {
    if (!values) return {};
    return builder_.CreateVector(*values);
  }

  // A vector whose elements start 4 bytes off. No builder makes one, so it is pushed word by word.
  flatbuffers::uoffset_t misaligned(Bytes elements, std::size_t count) {
    if (builder_.GetSize() % 8 == 0) builder_.PushElement(std::uint32_t{0});
    builder_.StartVector(elements.size() / 4, 4);
    for (std::size_t at = elements.size(); at > 0; at -= 4) {
      builder_.PushElement(load_le<std::uint32_t>(elements, at - 4));
    }
    return builder_.EndVector(count);
  }
  template <typename T>
  Offset<flatbuffers::Vector<const T*>> structs(const std::vector<T>& values, bool misalign) {
    if (!misalign) return builder_.CreateVectorOfStructs(values);
    return Offset<flatbuffers::Vector<const T*>>(
        misaligned(std::as_bytes(std::span(values)), values.size()));
  }

  template <typename T>
  static void repeat(std::vector<Offset<T>>& offsets, std::uint32_t times) {
    offsets.insert(offsets.end(), times, offsets.back());
  }

  Offset<flatbuffers::Vector<std::int64_t>> dimensions(
      const std::optional<std::vector<std::int64_t>>& values) {
    if (!values) return {};
    if (index_.misalign_shapes) {
      return Offset<flatbuffers::Vector<std::int64_t>>(
          misaligned(std::as_bytes(std::span(*values)), values->size()));
    }
    if (!index_.share_shapes) return builder_.CreateVector(*values);
    const auto [it, inserted] = shapes_.try_emplace(*values);
    if (inserted) it->second = builder_.CreateVector(*values);
    return it->second;
  }

  template <typename T>
  void add(flatbuffers::voffset_t field, T value) {
    const T zero{};
    builder_.ForceDefaults(std::memcmp(&value, &zero, sizeof value) != 0);
    builder_.AddElement(field, value, zero);
  }

  Offset<fbs::Quantization> add_quantization(
      const std::optional<HostileIndex::Quantization>& quantization) {
    if (!quantization) return {};
    const auto start = builder_.StartTable();
    add(fbs::Quantization::VT_SCALE, quantization->scale);
    add(fbs::Quantization::VT_ZERO_POINT, quantization->zero_point);
    add(fbs::Quantization::VT_AXIS, quantization->axis);
    add(fbs::Quantization::VT_SCALES, quantization->scales);
    add(fbs::Quantization::VT_ZERO_POINTS, quantization->zero_points);
    add(fbs::Quantization::VT_SCHEME, quantization->scheme);
    return Offset<fbs::Quantization>(builder_.EndTable(start));
  }

  Offset<flatbuffers::Vector<Offset<fbs::Piece>>> add_pieces(
      const std::optional<std::vector<HostileIndex::Piece>>& pieces) {
    if (!pieces) return {};
    std::vector<Offset<fbs::Piece>> offsets;
    for (const auto& piece : *pieces) {
      offsets.push_back(fbs::CreatePieceDirect(builder_, &piece.offsets, &piece.sizes,
                                               piece.storage, piece.byte_offset, &piece.strides));
    }
    return builder_.CreateVector(offsets);
  }

  Offset<fbs::Tensor> add_tensor(const HostileIndex::Tensor& tensor) {
    const auto pieces = add_pieces(tensor.pieces);
    const auto quantization = add_quantization(tensor.quantization);
    const auto strides = dimensions(tensor.strides);
    const auto shape = dimensions(tensor.shape);
    const auto name =
        tensor.name ? builder_.CreateString(*tensor.name) : Offset<flatbuffers::String>();
    const auto start = builder_.StartTable();
    add(fbs::Tensor::VT_BYTE_OFFSET, tensor.byte_offset);
    builder_.AddOffset(fbs::Tensor::VT_NAME, name);
    builder_.AddOffset(fbs::Tensor::VT_SHAPE, shape);
    builder_.AddOffset(fbs::Tensor::VT_STRIDES, strides);
    builder_.AddOffset(fbs::Tensor::VT_QUANTIZATION, quantization);
    builder_.AddOffset(fbs::Tensor::VT_PIECES, pieces);
    add(fbs::Tensor::VT_STORAGE, tensor.storage);
    add(fbs::Tensor::VT_DTYPE, tensor.dtype);
    add(fbs::Tensor::VT_ROLE, tensor.role);
    add(fbs::Tensor::VT_REQUIRES_GRAD, tensor.requires_grad);
    // Not TensorBuilder::Finish(): it asserts that required fields are there.
    return Offset<fbs::Tensor>(builder_.EndTable(start));
  }

  Offset<flatbuffers::Vector<const fbs::Storage*>> add_storages() {
    std::vector<fbs::Storage> storages;
    for (const auto& s : index_.storages) {
      storages.emplace_back(s.offset, s.bytes, s.first_chunk, s.file, s.role, s.reserved0,
                            s.reserved1);
    }
    return structs(storages, index_.misalign_storages);
  }

  Offset<flatbuffers::Vector<Offset<fbs::Attachment>>> add_attachments() {
    if (!index_.attachments) return {};
    std::vector<Offset<fbs::Attachment>> offsets(index_.attachments->size());
    for (std::size_t i = offsets.size(); i-- > 0;) {
      const auto& attachment = (*index_.attachments)[i];
      const auto media_type = builder_.CreateString(attachment.media_type);
      const auto name = builder_.CreateString(attachment.name);
      const auto start = builder_.StartTable();
      builder_.AddOffset(fbs::Attachment::VT_NAME, name);
      builder_.AddOffset(fbs::Attachment::VT_MEDIA_TYPE, media_type);
      add(fbs::Attachment::VT_STORAGE, attachment.storage);
      offsets[i] = Offset<fbs::Attachment>(builder_.EndTable(start));
    }
    return builder_.CreateVector(offsets);
  }

  Offset<flatbuffers::Vector<Offset<fbs::File>>> add_files() {
    if (!index_.files) return {};
    std::vector<Offset<fbs::File>> offsets;
    for (const auto& file : *index_.files) {
      offsets.push_back(fbs::CreateFileDirect(builder_, file.name.c_str(), file.bytes,
                                              file.root_low, file.root_high));
    }
    return builder_.CreateVector(offsets);
  }

  Offset<flatbuffers::Vector<Offset<flatbuffers::String>>> add_strings(
      const std::optional<std::vector<std::string>>& strings) {
    if (!strings) return {};
    std::vector<Offset<flatbuffers::String>> offsets(strings->size());
    for (std::size_t i = offsets.size(); i-- > 0;) {
      offsets[i] = builder_.CreateString((*strings)[i]);
    }
    if (!offsets.empty()) repeat(offsets, index_.repeat_string);
    return builder_.CreateVector(offsets);
  }

  Offset<flatbuffers::Vector<Offset<fbs::Blob>>> add_blobs(
      const std::optional<std::vector<std::string>>& blobs) {
    if (!blobs) return {};
    std::vector<Offset<fbs::Blob>> offsets(blobs->size());
    for (std::size_t i = offsets.size(); i-- > 0;) {
      const auto* data = reinterpret_cast<const std::uint8_t*>((*blobs)[i].data());
      offsets[i] = fbs::CreateBlob(builder_, builder_.CreateVector(data, (*blobs)[i].size()));
    }
    if (!offsets.empty()) repeat(offsets, index_.repeat_blob);
    return builder_.CreateVector(offsets);
  }

  Offset<fbs::StateTree> add_state(const HostileIndex::StateTree& state) {
    const auto blobs = add_blobs(state.blobs);
    const auto strings = add_strings(state.strings);
    std::vector<fbs::StateNode> nodes;
    for (const auto& n : state.nodes) {
      nodes.emplace_back(n.kind, n.key_kind, n.reserved, n.children, n.key, n.value);
    }
    const auto node_vector = structs(nodes, index_.misalign_nodes);
    const auto start = builder_.StartTable();
    builder_.AddOffset(fbs::StateTree::VT_NODES, node_vector);
    builder_.AddOffset(fbs::StateTree::VT_STRINGS, strings);
    builder_.AddOffset(fbs::StateTree::VT_BLOBS, blobs);
    return Offset<fbs::StateTree>(builder_.EndTable(start));
  }

  const HostileIndex& index_;
  FlatBufferBuilder builder_;
  std::map<std::vector<std::int64_t>, Offset<flatbuffers::Vector<std::int64_t>>> shapes_;
};

template <typename T>
std::optional<std::vector<T>> absent_when_empty(const std::vector<T>& values) {
  if (values.empty()) return std::nullopt;
  return values;
}

// The state tree as encode_index() flattens it, taken from its own encoding.
std::optional<HostileIndex::StateTree> state_of(const format::IndexModel& model) {
  if (!model.state) return std::nullopt;
  const auto bytes = format::encode_index(model);
  if (!bytes.ok()) std::abort();
  const fbs::StateTree& tree = *fbs::GetIndex(bytes->data())->state();
  HostileIndex::StateTree state;
  for (const fbs::StateNode* n : *tree.nodes()) {
    state.nodes.push_back(
        {n->kind(), n->key_kind(), n->reserved(), n->children(), n->key(), n->value()});
  }
  if (tree.strings() != nullptr) {
    state.strings.emplace();
    for (const auto* text : *tree.strings()) state.strings->push_back(text->str());
  }
  if (tree.blobs() != nullptr) {
    state.blobs.emplace();
    for (const auto* blob : *tree.blobs()) {
      state.blobs->emplace_back(blob->data()->begin(), blob->data()->end());
    }
  }
  return state;
}

HostileIndex::Tensor tensor_of(const format::IndexModel::Tensor& tensor) {
  HostileIndex::Tensor result{.name = tensor.name,
                              .dtype = static_cast<std::uint8_t>(tensor.dtype),
                              .role = static_cast<std::uint8_t>(tensor.role),
                              .requires_grad = static_cast<std::uint8_t>(tensor.requires_grad),
                              .storage = tensor.storage,
                              .byte_offset = tensor.byte_offset,
                              .shape = absent_when_empty(tensor.shape),
                              .strides = absent_when_empty(tensor.strides),
                              .quantization = std::nullopt,
                              .pieces = std::nullopt};
  if (tensor.quantization) {
    const ingot::Quantization& q = *tensor.quantization;
    result.quantization = {static_cast<std::uint8_t>(q.scheme),
                           q.scale,
                           q.zero_point,
                           q.axis,
                           q.scales_storage,
                           q.zero_points_storage};
  }
  return result;
}

// The digest table for what the storages claim, clamped to the data that is there.
std::vector<std::byte> digest_table(const HostileFile& file) {
  std::vector<Bytes> chunks;
  const Bytes data(file.data);
  const std::uint64_t chunk_bytes = file.header.chunk_bytes();
  for (const auto& storage : file.index.storages) {
    const std::uint64_t begin = std::min<std::uint64_t>(
        std::max(storage.offset, format::kDataBegin) - format::kDataBegin, data.size());
    const std::uint64_t bytes = std::min<std::uint64_t>(storage.bytes, data.size() - begin);
    for (std::uint64_t at = 0; at < bytes; at += chunk_bytes) {
      chunks.push_back(data.subspan(begin + at, std::min(chunk_bytes, bytes - at)));
    }
  }
  std::vector<std::byte> table;
  auto append = [&](Bytes bytes) { table.insert(table.end(), bytes.begin(), bytes.end()); };
  for (const Bytes chunk : chunks) {
    const Digest128 digest = format::xxh3_128(chunk);
    append(std::as_bytes(std::span(&digest.low, 1)));
    append(std::as_bytes(std::span(&digest.high, 1)));
  }
  if (file.header.has_sha256()) {
    for (const Bytes chunk : chunks) {
      const Sha256 digest = format::sha256(chunk);
      append(std::as_bytes(std::span(digest)));
    }
  }
  return table;
}

format::Header header_around(const HostileFile& file, Bytes index, Bytes table) {
  format::Header header = file.header;
  header.data_end = format::kDataBegin + file.data.size();
  header.digests_bytes = table.size();
  header.index_bytes = index.size();
  const auto tail = format::tail_layout(header.data_end, header.chunk_count(), header.has_sha256(),
                                        header.index_bytes);
  header.digests_offset = tail->digests_offset;
  header.index_offset = tail->index_offset;
  header.file_bytes = tail->file_bytes;
  header.digests_digest = format::xxh3_128(table);
  header.index_digest = format::xxh3_128(index);
  header.uuid = format::derive_uuid(header);
  header.save_id = format::derive_save_id(header);
  if (header.has_sha256()) {
    const Bytes column = table.subspan(header.chunk_count() * format::kDigestBytes);
    header.root_sha256 =
        format::compute_root_sha256(header, format::sha256(index), format::sha256(column));
  }
  return header;
}

}  // namespace

HostileIndex HostileIndex::from(const format::IndexModel& model) {
  HostileIndex index;
  for (const auto& tensor : model.tensors) index.tensors.push_back(tensor_of(tensor));
  for (const auto& s : model.storages) {
    index.storages.push_back({s.offset, s.bytes, s.first_chunk, s.file, s.role, 0, 0});
  }
  if (!model.attachments.empty()) {
    index.attachments.emplace();
    for (const auto& a : model.attachments) {
      index.attachments->push_back({a.name, a.media_type, a.storage});
    }
  }
  index.state = state_of(model);
  index.fix_names();
  return index;
}

void HostileIndex::fix_names() {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> hashes;
  for (std::uint32_t i = 0; i < tensors.size(); ++i) {
    hashes.emplace_back(format::xxh3_64(as_bytes(tensors[i].name.value_or(""))), i);
  }
  std::sort(hashes.begin(), hashes.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return tensors[a.second].name < tensors[b.second].name;
  });
  name_hashes.emplace();
  name_tensors.emplace();
  for (const auto& [hash, tensor] : hashes) {
    name_hashes->push_back(hash);
    name_tensors->push_back(tensor);
  }
}

void HostileIndex::rename(std::size_t tensor, std::string name) {
  tensors[tensor].name = std::move(name);
  fix_names();
}

std::vector<std::byte> HostileIndex::encode() const { return HostileEncoder(*this).run(); }

HostileFile HostileFile::from(const IndexDraft& draft) {
  const format::IndexModel model = plan(draft);
  HostileFile file;
  file.index = HostileIndex::from(model);
  file.header.chunk_log2 = draft.chunk_log2;
  file.header.alignment_log2 = draft.alignment_log2;
  std::uint8_t value = 1;
  for (const auto& storage : model.storages) {
    file.data.resize(storage.offset - format::kDataBegin);
    for (std::uint64_t i = 0; i < storage.bytes; ++i) {
      file.data.push_back(std::byte{value});
      value = static_cast<std::uint8_t>(value * 13 + 7);
    }
  }
  return file;
}

HostileFile HostileFile::rich() { return from(rich_draft()); }

HostileFile HostileFile::minimal() { return from(IndexDraft{}); }

std::vector<std::byte> HostileFile::index_bytes() const {
  return raw_index ? *raw_index : index.encode();
}

format::Header HostileFile::make_header() const {
  format::Header made = header_around(*this, index_bytes(), digest_table(*this));
  if (edit_header) edit_header(made);
  format::encode_header(made);
  return made;
}

std::vector<std::byte> HostileFile::assemble() const {
  const std::vector<std::byte> index_part = index_bytes();
  const std::vector<std::byte> table = digest_table(*this);
  format::Header made = header_around(*this, index_part, table);
  std::vector<std::byte> file(made.file_bytes);
  std::copy(data.begin(), data.end(), file.begin() + format::kDataBegin);
  std::copy(table.begin(), table.end(),
            file.begin() + static_cast<std::ptrdiff_t>(made.digests_offset));
  std::copy(index_part.begin(), index_part.end(),
            file.begin() + static_cast<std::ptrdiff_t>(made.index_offset));
  if (edit_header) edit_header(made);
  format::HeaderPage page = format::encode_header(made);
  if (edit_page) {
    edit_page(page);
    seal_header(page);
  }
  std::copy(page.begin(), page.end(), file.begin());
  std::copy(page.begin(), page.end(), file.end() - format::kPageBytes);
  return file;
}

Status HostileFile::validate_index(const Limits& limits) const {
  return validate_index_copy(index_bytes(), make_header(), limits);
}

Status validate_index_copy(Bytes index, const format::Header& header, const Limits& limits) {
  // Of exactly this length, so that AddressSanitizer sees any step beyond; malloc aligns to 16.
  const std::unique_ptr<std::byte, void (*)(void*)> memory(
      static_cast<std::byte*>(std::malloc(std::max<std::size_t>(index.size(), 1))), std::free);
  std::copy(index.begin(), index.end(), memory.get());
  return format::validate_index(Bytes(memory.get(), index.size()), header, limits, "test.ingot");
}

void seal_header(MutableBytes page) {
  const Digest128 digest = format::xxh3_128(page.first(format::header_at::kHeaderDigest));
  store_le(page, format::header_at::kHeaderDigest, digest.low);
  store_le(page, format::header_at::kHeaderDigest + 8, digest.high);
}

}  // namespace ingot::testing
