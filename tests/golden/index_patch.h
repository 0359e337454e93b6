// Finding one's way in the bytes of a valid index, to change them in place.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace ingot::golden {

// Positions count from the index's start. Nothing is checked: the index is valid until it is
// changed.
class IndexPatch {
 public:
  explicit IndexPatch(MutableBytes index) : index_(index) {}

  std::size_t root() const { return load_le<std::uint32_t>(index_, 0); }
  std::size_t vtable(std::size_t table) const {
    return table - static_cast<std::size_t>(load_le<std::int32_t>(index_, table));
  }
  // Position of the vtable's entry of a field.
  std::size_t entry(std::size_t table, std::size_t id) const { return vtable(table) + 4 + 2 * id; }
  // Position of a field that is present.
  std::size_t field(std::size_t table, std::size_t id) const {
    return table + load_le<std::uint16_t>(index_, entry(table, id));
  }
  // Where the reference at a position leads.
  std::size_t follow(std::size_t at) const { return at + load_le<std::uint32_t>(index_, at); }
  // The vector, string or table of a field.
  std::size_t part(std::size_t table, std::size_t id) const { return follow(field(table, id)); }
  // Position of the reference to element `i` of a vector of references.
  std::size_t element(std::size_t vector, std::size_t i) const { return vector + 4 + 4 * i; }

  // Ids as docs/format.md has them.
  std::size_t tensors() const { return part(root(), 0); }
  std::size_t tensor(std::size_t i) const { return follow(element(tensors(), i)); }

  template <typename T>
  void set(std::size_t at, T value) {
    store_le<T>(index_, at, value);
  }
  template <typename T>
  T get(std::size_t at) const {
    return load_le<T>(index_, at);
  }
  std::size_t size() const { return index_.size(); }

 private:
  MutableBytes index_;
};

}  // namespace ingot::golden
