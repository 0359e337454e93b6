// Reading a validated index in place. Nothing here checks anything: validate_index() did.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ingot/checkpoint.h"
#include "ingot/state.h"
#include "ingot/tensor.h"

#include "base/bytes.h"

namespace ingot::fbs {
struct Index;  // generated
}

namespace ingot::format {

// Points into index bytes that outlive it, aligned to 16.
class IndexView {
 public:
  IndexView() = default;
  // REQUIRES: validate_index() accepted these bytes.
  explicit IndexView(Bytes index);

  std::uint32_t tensor_count() const;
  TensorInfo tensor(std::uint32_t ordinal) const;
  // Interpolation in the sorted hashes, falling back to bisection.
  std::optional<std::uint32_t> find(std::string_view name) const;

  std::uint32_t storage_count() const;
  StorageInfo storage(std::uint32_t number, std::uint64_t chunk_bytes) const;
  // Role of the first tensor that refers to the storage, or kAttachmentRole.
  std::uint8_t section_of_storage(std::uint32_t number) const;
  // The storage whose data holds this file offset, or the last one before it; nullopt before the
  // first.
  std::optional<std::uint32_t> storage_at(std::uint64_t file_offset) const;
  // Name of a tensor or attachment that uses the storage: a linear search, for error messages.
  std::string_view owner_of_storage(std::uint32_t storage) const;

  std::uint32_t attachment_count() const;
  AttachmentInfo attachment(std::uint32_t i) const;

  // Null when the file has no state tree.
  std::optional<StateView> state() const;

 private:
  const fbs::Index* root_ = nullptr;
};

}  // namespace ingot::format
