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

// floor(a * b / 2^64)
std::uint64_t scale_down(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>((static_cast<__uint128_t>(a) * b) >> 64);
}

// Hashes are spread evenly, so how far a hash lies from another one says how many entries lie
// between them, give or take the square root of that number.
std::size_t corrected(std::span<const std::uint64_t> hashes, std::uint64_t hash,
                      std::size_t guess) {
  const std::uint64_t at = hashes[guess];
  if (at < hash) {
    return guess + std::min(hashes.size() - 1 - guess, scale_down(hash - at, hashes.size()));
  }
  return guess - std::min(guess, scale_down(at - hash, hashes.size()));
}

// Position of the first hash that is not below `hash`. Steps of doubling width from the guess find
// an interval that holds it, bisection the place: no hostile choice of hashes makes that longer
// than twice the logarithm of their number.
std::size_t lower_bound(std::span<const std::uint64_t> hashes, std::uint64_t hash,
                        std::size_t guess) {
  std::size_t low = guess;
  std::size_t high = low;
  if (hashes[low] < hash) {
    for (std::size_t width = 1; high < hashes.size() && hashes[high] < hash; width *= 2) {
      low = high + 1;
      high = low + std::min(width, hashes.size() - low);
    }
  } else {
    for (std::size_t width = 1; low > 0 && hashes[low - 1] >= hash; width *= 2) {
      high = low - 1;
      low = high - std::min(width, high);
    }
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
  const std::span<const std::uint64_t> sorted(hashes->data(), hashes->size());
  if (sorted.empty()) return std::nullopt;
  const std::uint64_t hash = xxh3_64(as_bytes(name));
  // What a look-up costs is its chain of cache misses. The first correction ends within some twenty
  // entries of the right place, even among a million; what lies there, and the ordinals beside it,
  // can come together.
  std::size_t guess = corrected(sorted, hash, scale_down(hash, sorted.size()));
  const std::uint32_t* ordinals = root_->name_tensors()->data();
  for (const std::size_t near :
       {guess, guess - std::min<std::size_t>(guess, 12), std::min(guess + 12, sorted.size() - 1)}) {
    __builtin_prefetch(&sorted[near]);
    __builtin_prefetch(&ordinals[near]);
  }
  guess = corrected(sorted, hash, guess);
  for (std::size_t i = lower_bound(sorted, hash, guess); i < sorted.size() && sorted[i] == hash;
       ++i) {
    const std::uint32_t ordinal = ordinals[i];
    const fbs::Tensor* tensor = root_->tensors()->Get(ordinal);
    __builtin_prefetch(reinterpret_cast<const char*>(tensor) + 64);
    if (text_of(tensor->name()) == name) return ordinal;
  }
  return std::nullopt;
}

std::uint32_t IndexView::storage_count() const { return root_->storages()->size(); }

StorageInfo IndexView::storage(std::uint32_t number, std::uint64_t chunk_bytes) const {
  const fbs::Storage& storage = *root_->storages()->Get(number);
  const std::uint64_t bytes = storage.bytes();
  // A chunk's size is a power of two, and a division would cost more than all the rest.
  const int chunk_log2 = std::countr_zero(chunk_bytes);
  return {.offset = storage.offset(),
          .bytes = bytes,
          .first_chunk = storage.first_chunk(),
          .chunks = (bytes >> chunk_log2) + ((bytes & (chunk_bytes - 1)) != 0 ? 1 : 0),
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
  return StateView(reinterpret_cast<const StateView::Table*>(root_), 0);
}

}  // namespace ingot::format
