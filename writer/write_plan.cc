// WritePlan: descriptions on their way to Writer::create(), which checks them.
#include <utility>

#include "ingot/writer.h"

#include "base/checked.h"
#include "format/extent.h"

namespace ingot {
namespace {

// Bytes of a storage that holds this tensor and nothing after it. A tensor whose extent cannot be
// computed gets none: Writer::create() says what is wrong with it.
std::uint64_t storage_bytes_for(const TensorSpec& spec) {
  const bool row_major = format::is_row_major(spec.shape, spec.strides);
  const auto extent =
      format::tensor_extent(spec.dtype, spec.shape,
                            row_major ? std::span<const std::int64_t>() : std::span(spec.strides));
  std::uint64_t bytes = 0;
  if (!extent || !checked_add(spec.byte_offset, extent->bytes, &bytes)) return 0;
  return bytes;
}

}  // namespace

void WritePlan::reserve(std::size_t tensors) {
  tensors_.reserve(tensors);
  storage_bytes_.reserve(tensors);
}

TensorId WritePlan::add(TensorSpec spec) {
  if (!spec.storage) spec.storage = add_storage(storage_bytes_for(spec));
  tensors_.push_back(std::move(spec));
  return TensorId{static_cast<std::uint32_t>(tensors_.size() - 1)};
}

StorageId WritePlan::storage_of(TensorId tensor) const {
  const auto number = static_cast<std::size_t>(tensor);
  // A handle of another plan: no storage has this number, and every use of it is refused.
  if (number >= tensors_.size()) return StorageId{~std::uint32_t{0}};
  return *tensors_[number].storage;
}

StorageId WritePlan::add_storage(std::uint64_t bytes) {
  storage_bytes_.push_back(bytes);
  return StorageId{static_cast<std::uint32_t>(storage_bytes_.size() - 1)};
}

AttachmentId WritePlan::attach(std::string name, std::string media_type, std::uint64_t bytes) {
  attachments_.push_back({std::move(name), std::move(media_type), add_storage(bytes)});
  return AttachmentId{static_cast<std::uint32_t>(attachments_.size() - 1)};
}

void WritePlan::set_state(StateValue state) { state_ = std::move(state); }

}  // namespace ingot
