// The fields of the index's tensor tables, read fast: for the validator's loops.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "format/index_generated.h"

namespace ingot::format {

inline std::span<const std::int64_t> span_of(const flatbuffers::Vector<std::int64_t>* vector) {
  if (vector == nullptr) return {};
  return {vector->data(), vector->size()};
}

// A tensor's fields. Tables of one shape share a vtable, so its offsets are looked up only when it
// changes. The Verifier has been over all of it.
class TensorFields {
 public:
  void read(const fbs::Tensor* tensor) {
    const auto* table = reinterpret_cast<const std::uint8_t*>(tensor);
    const std::uint8_t* vtable = table - flatbuffers::ReadScalar<flatbuffers::soffset_t>(table);
    if (vtable != vtable_) load_vtable(vtable);
    name = pointer<flatbuffers::String>(table, 0);
    dtype = scalar<std::uint8_t>(table, 1);
    role = scalar<std::uint8_t>(table, 2);
    requires_grad = scalar<std::uint8_t>(table, 3);
    storage = scalar<std::uint32_t>(table, 4);
    byte_offset = scalar<std::uint64_t>(table, 5);
    shape = pointer<flatbuffers::Vector<std::int64_t>>(table, 6);
    strides = pointer<flatbuffers::Vector<std::int64_t>>(table, 7);
    quantization = pointer<fbs::Quantization>(table, 8);
    has_pieces = offsets_[9] != 0;
  }

  const flatbuffers::String* name = nullptr;
  std::uint8_t dtype = 0;
  std::uint8_t role = 0;
  std::uint8_t requires_grad = 0;
  std::uint32_t storage = 0;
  std::uint64_t byte_offset = 0;
  const flatbuffers::Vector<std::int64_t>* shape = nullptr;
  const flatbuffers::Vector<std::int64_t>* strides = nullptr;
  const fbs::Quantization* quantization = nullptr;
  bool has_pieces = false;

 private:
  static constexpr std::size_t kFields = 10;
  static_assert(fbs::Tensor::VT_NAME == 4 && fbs::Tensor::VT_PIECES == 4 + 2 * (kFields - 1));

  void load_vtable(const std::uint8_t* vtable) {
    const auto bytes = flatbuffers::ReadScalar<flatbuffers::voffset_t>(vtable);
    for (std::size_t i = 0; i < kFields; ++i) {
      const std::size_t at = 4 + 2 * i;
      offsets_[i] = at < bytes ? flatbuffers::ReadScalar<flatbuffers::voffset_t>(vtable + at) : 0;
    }
    vtable_ = vtable;
  }
  template <typename T>
  T scalar(const std::uint8_t* table, std::size_t field) const {
    return offsets_[field] != 0 ? flatbuffers::ReadScalar<T>(table + offsets_[field]) : T{};
  }
  template <typename T>
  const T* pointer(const std::uint8_t* table, std::size_t field) const {
    if (offsets_[field] == 0) return nullptr;
    const std::uint8_t* at = table + offsets_[field];
    return reinterpret_cast<const T*>(at + flatbuffers::ReadScalar<flatbuffers::uoffset_t>(at));
  }

  const std::uint8_t* vtable_ = nullptr;
  std::array<std::uint16_t, kFields> offsets_{};
};

}  // namespace ingot::format
