#include "tools/diff/ingot_source.h"

#include <utility>

#include "tools/convert/state_keys.h"
#include "tools/read/packed_reader.h"

namespace ingot::tools {
namespace {

class IngotBytes : public TensorBytes {
 public:
  IngotBytes(const Checkpoint& checkpoint, const TensorInfo& info)
      : checkpoint_(checkpoint),
        info_(info),
        storage_(checkpoint.storage(info.storage)),
        reader_(checkpoint, info) {}

  Status read(std::uint64_t offset, MutableBytes destination) override {
    return reader_.read(offset, destination);
  }

  std::optional<WholeDigest> whole_digest() const override {
    return WholeDigest{.storage = checkpoint_.storage_digest(info_.storage),
                       .storage_bytes = storage_.bytes,
                       .chunk_bytes = checkpoint_.file().chunk_bytes,
                       .byte_offset = info_.byte_offset,
                       .strides = {info_.strides.begin(), info_.strides.end()}};
  }

  // Chunks count from the storage's start: they are the tensor's own when it begins with one and
  // ends with the storage.
  std::uint64_t chunk_bytes() const override {
    const std::uint64_t chunk = checkpoint_.file().chunk_bytes;
    const bool own = info_.is_contiguous() && info_.byte_offset % chunk == 0 &&
                     info_.byte_offset + info_.bytes == storage_.bytes;
    return own ? chunk : 0;
  }
  Digest128 chunk_digest(std::uint64_t k) const override {
    return checkpoint_.chunk_digest(storage_.first_chunk +
                                    info_.byte_offset / checkpoint_.file().chunk_bytes + k);
  }

 private:
  const Checkpoint& checkpoint_;
  TensorInfo info_;
  StorageInfo storage_;
  PackedReader reader_;
};

class IngotSource : public DiffSource {
 public:
  explicit IngotSource(Checkpoint checkpoint) : checkpoint_(std::move(checkpoint)) {
    first_names_.resize(checkpoint_.storage_count());
    checkpoint_.for_each({}, [&](const TensorInfo& tensor) {
      std::string_view& first = first_names_[tensor.storage];
      if (first.empty() || tensor.name < first) first = tensor.name;
    });
  }

  std::uint32_t tensor_count() const override { return checkpoint_.tensor_count(); }
  TensorFacts facts(std::uint32_t tensor) const override {
    const TensorInfo info = checkpoint_.info(tensor);
    return {info.name, info.dtype, info.shape, packed_bytes(info)};
  }
  std::unique_ptr<TensorBytes> bytes(std::uint32_t tensor) const override {
    return std::make_unique<IngotBytes>(checkpoint_, checkpoint_.info(tensor));
  }
  bool is_complete() const override { return true; }
  TensorAttributes attributes(std::uint32_t tensor) const override {
    const TensorInfo info = checkpoint_.info(tensor);
    return {.role = info.role,
            .requires_grad = info.requires_grad,
            .strides = {info.strides.begin(), info.strides.end()},
            .quantization = comparable(info.quantization),
            .tied_with = first_names_[info.storage]};
  }
  std::vector<Blob> quantization_blobs(std::uint32_t tensor) const override {
    const TensorInfo info = checkpoint_.info(tensor);
    std::vector<Blob> blobs;
    if (info.quantization && info.quantization->scheme != QuantizationScheme::kPerTensorAffine) {
      blobs.push_back(blob(info.name, info.quantization->scales_storage));
      blobs.push_back(blob(info.name, info.quantization->zero_points_storage));
    }
    return blobs;
  }
  std::optional<StateValue> state() const override {
    const std::optional<StateView> root = checkpoint_.state();
    if (!root) return std::nullopt;
    return copy_state(checkpoint_, *root);
  }
  std::uint32_t attachment_count() const override { return checkpoint_.attachment_count(); }
  AttachmentFacts attachment(std::uint32_t i) const override {
    const AttachmentInfo info = checkpoint_.attachment(i);
    return {info.name, info.media_type, info.bytes};
  }
  Blob attachment_blob(std::uint32_t i) const override {
    const AttachmentInfo info = checkpoint_.attachment(i);
    return blob(info.name, info.storage);
  }
  Status check_unchanged() const override { return checkpoint_.check_unchanged(); }

 private:
  // A storage as a run of bytes; the shape is not asked for.
  Blob blob(std::string_view name, std::uint32_t storage) const {
    TensorInfo info;
    info.name = name;
    info.storage = storage;
    info.bytes = checkpoint_.storage(storage).bytes;
    return {name, info.bytes, std::make_unique<IngotBytes>(checkpoint_, info)};
  }
  // Numbers of storages are the file's own business.
  static std::optional<Quantization> comparable(std::optional<Quantization> quantization) {
    if (quantization) {
      quantization->scales_storage = 0;
      quantization->zero_points_storage = 0;
    }
    return quantization;
  }

  Checkpoint checkpoint_;
  std::vector<std::string_view> first_names_;  // by storage
};

}  // namespace

std::unique_ptr<DiffSource> make_ingot_source(Checkpoint checkpoint) {
  return std::make_unique<IngotSource>(std::move(checkpoint));
}

}  // namespace ingot::tools
