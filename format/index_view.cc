#include "format/index_view.h"

#include <algorithm>
#include <bit>

#include "base/checked.h"
#include "format/digest.h"
#include "format/extent.h"
#include "format/index_generated.h"

namespace ingot::format {
namespace {

std::string_view text_of(const flatbuffers::String* text) { return {text->c_str(), text->size()}; }

std::span<const std::int64_t> span_of(const flatbuffers::Vector<std::int64_t>* vector) {
  if (vector == nullptr) return {};
  return {vector->data(), vector->size()};
}

std::optional<Quantization> quantization_of(const fbs::Quantization* table) {
  if (table == nullptr) return std::nullopt;
  return Quantization{.scheme = static_cast<QuantizationScheme>(table->scheme()),
                      .scale = table->scale(),
                      .zero_point = table->zero_point(),
                      .axis = table->axis(),
                      .scales_storage = table->scales(),
                      .zero_points_storage = table->zero_points()};
}

// Hashes are spread evenly, so where a hash should lie can be computed. Every guess shrinks
// [low, high); three suffice for a million names, and bisection ends what hostile hashes prolong.
constexpr int kGuesses = 4;

// floor(a * b / 2^64)
std::uint64_t scale_down(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>((static_cast<__uint128_t>(a) * b) >> 64);
}

// Position of the first hash that is not below `hash`.
std::size_t lower_bound(std::span<const std::uint64_t> hashes, std::uint64_t hash) {
  const std::size_t count = hashes.size();
  std::size_t low = 0;
  std::size_t high = count;
  std::size_t guess = scale_down(hash, count);
  for (int i = 0; i < kGuesses && high - low > 8; ++i) {
    // The density of hashes says how far off the guess is; a little beyond, to bracket.
    const std::uint64_t at = hashes[guess];
    if (at < hash) {
      low = guess + 1;
      const std::size_t step = scale_down(hash - at, count);
      guess = std::min(low + step, high - 1);
    } else {
      high = guess;
      const std::size_t step = scale_down(at - hash, count);
      guess = high - std::min(high - low, step + 1);
    }
    if (low >= high) return low;
  }
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (hashes[middle] < hash) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace

IndexView::IndexView(Bytes index) : root_(flatbuffers::GetRoot<fbs::Index>(index.data())) {}

std::uint32_t IndexView::tensor_count() const { return root_->tensors()->size(); }

TensorInfo IndexView::tensor(std::uint32_t ordinal) const {
  const fbs::Tensor& table = *root_->tensors()->Get(ordinal);
  TensorInfo info{.name = text_of(table.name()),
                  .dtype = static_cast<DType>(table.dtype()),
                  .role = static_cast<Role>(table.role()),
                  .requires_grad = table.requires_grad(),
                  .shape = span_of(table.shape()),
                  .strides = span_of(table.strides()),
                  .ordinal = ordinal,
                  .storage = table.storage(),
                  .byte_offset = table.byte_offset(),
                  .quantization = quantization_of(table.quantization())};
  info.bytes = tensor_extent(info.dtype, info.shape, info.strides).value_or(Extent{}).bytes;
  return info;
}

std::optional<std::uint32_t> IndexView::find(std::string_view name) const {
  const auto* hashes = root_->name_hashes();
  const std::uint64_t hash = xxh3_64(as_bytes(name));
  const std::span<const std::uint64_t> sorted(hashes->data(), hashes->size());
  for (std::size_t i = lower_bound(sorted, hash); i < sorted.size() && sorted[i] == hash; ++i) {
    const std::uint32_t ordinal = root_->name_tensors()->Get(static_cast<std::uint32_t>(i));
    if (text_of(root_->tensors()->Get(ordinal)->name()) == name) return ordinal;
  }
  return std::nullopt;
}

std::uint32_t IndexView::storage_count() const { return root_->storages()->size(); }

StorageInfo IndexView::storage(std::uint32_t number, std::uint64_t chunk_bytes) const {
  const fbs::Storage& storage = *root_->storages()->Get(number);
  return {.offset = storage.offset(),
          .bytes = storage.bytes(),
          .first_chunk = storage.first_chunk(),
          .chunks = ceil_div(storage.bytes(), chunk_bytes),
          .file = storage.file()};
}

std::uint8_t IndexView::section_of_storage(std::uint32_t number) const {
  return root_->storages()->Get(number)->role();
}

std::optional<std::uint32_t> IndexView::storage_at(std::uint64_t file_offset) const {
  const auto* storages = root_->storages();
  std::uint32_t low = 0;
  std::uint32_t high = storages->size();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (storages->Get(middle)->offset() <= file_offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return std::nullopt;
  return low - 1;
}

std::string_view IndexView::owner_of_storage(std::uint32_t storage) const {
  for (const fbs::Tensor* tensor : *root_->tensors()) {
    const fbs::Quantization* quantization = tensor->quantization();
    const bool per_channel =
        quantization != nullptr && static_cast<QuantizationScheme>(quantization->scheme()) !=
                                       QuantizationScheme::kPerTensorAffine;
    if (tensor->storage() == storage || (per_channel && (quantization->scales() == storage ||
                                                         quantization->zero_points() == storage))) {
      return text_of(tensor->name());
    }
  }
  for (std::uint32_t i = 0; i < attachment_count(); ++i) {
    const AttachmentInfo info = attachment(i);
    if (info.storage == storage) return info.name;
  }
  return {};
}

std::uint32_t IndexView::attachment_count() const {
  return root_->attachments() != nullptr ? root_->attachments()->size() : 0;
}

AttachmentInfo IndexView::attachment(std::uint32_t i) const {
  const fbs::Attachment& table = *root_->attachments()->Get(i);
  return {.name = text_of(table.name()),
          .media_type = text_of(table.media_type()),
          .storage = table.storage(),
          .bytes = root_->storages()->Get(table.storage())->bytes()};
}

std::optional<StateView> IndexView::state() const {
  if (root_->state() == nullptr) return std::nullopt;
  return StateView(reinterpret_cast<const StateView::Table*>(root_->state()), 0);
}

}  // namespace ingot::format
