// Draft models for tests of the format: says what is in a file, leaves where it lies to plan().
#pragma once

#include <cstdint>
#include <vector>

#include "format/index_model.h"

namespace ingot::testing {

// An index whose storages are not placed yet: `model.storages` is empty, and tensors and
// attachments name storages by their position in `storage_bytes`, in any order.
struct IndexDraft {
  format::IndexModel model;
  std::vector<std::uint64_t> storage_bytes;
  std::uint32_t chunk_log2 = 16;
  std::uint32_t alignment_log2 = 12;

  // Adds a storage and returns its number.
  std::uint32_t storage(std::uint64_t bytes);
  // Adds a tensor with a storage of its own, just large enough.
  format::IndexModel::Tensor& tensor(std::string name, DType dtype, std::vector<std::int64_t> shape,
                                     Role role = Role::kParameter);
  void attachment(std::string name, std::string media_type, std::uint64_t bytes);
};

// The model with storages in canonical order and place. Storages that nothing uses are dropped;
// attachments are sorted by name.
format::IndexModel plan(const IndexDraft& draft);

// A draft that uses every part of the schema: all roles, tied, strided, 0-d, empty, packed, both
// kinds of quantisation, attachments, and a state tree with every kind of value.
IndexDraft rich_draft();

}  // namespace ingot::testing
