// Rules F-50 to F-65, F-36 and F-47, tensor by tensor.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "ingot/tensor.h"

#include "base/checked.h"
#include "format/constants.h"
#include "format/extent.h"
#include "format/tensor_fields.h"
#include "format/validate_internal.h"

namespace ingot::format {

// Bytes of an element by its type's number: 0 for packed, quantised and unknown types.
inline std::array<std::uint8_t, 256> plain_element_bytes() {
  std::array<std::uint8_t, 256> bytes{};
  for (std::uint8_t number = kFirstDType; number <= kLastDType; ++number) {
    const auto dtype = static_cast<DType>(number);
    if (is_quantized(dtype) || dtype_bits(dtype) % 8 != 0) continue;
    bytes[number] = static_cast<std::uint8_t>(dtype_bits(dtype) / 8);
  }
  return bytes;
}

// F-56 counts bits.
inline constexpr std::uint64_t kMaxBytes = ~std::uint64_t{0} / 8;

// Every storage's role is that of the first tensor that refers to it, and storages of a role lie in
// the order of those first references. So the storages referred to so far are always a prefix of
// each section, and a cursor a section is all there is to remember.
class StorageOrder {
 public:
  explicit StorageOrder(const flatbuffers::Vector<const fbs::Storage*>& storages)
      : storages_(storages) {
    for (std::uint32_t i = storages.size(); i-- > 0;) next_[storages.Get(i)->role()] = i;
  }

  // REQUIRES: storage is below the number of storages.
  bool refer(std::uint32_t storage, std::uint8_t role) {
    const std::uint8_t section = storages_.Get(storage)->role();
    std::uint32_t& next = next_[section];
    if (storage < next) return true;
    if (storage > next || section != role) return false;
    ++next;
    return true;
  }

  // A storage of the tensors' sections that no tensor refers to.
  std::optional<std::uint32_t> unused() const {
    for (std::uint8_t role = 1; role < kAttachmentRole; ++role) {
      const std::uint32_t next = next_[role];
      if (next < storages_.size() && storages_.Get(next)->role() == role) return next;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  const flatbuffers::Vector<const fbs::Storage*>& storages_;
  // Storage of the section that is to be referred to next; none before 1 nor after 5.
  std::array<std::uint32_t, kAttachmentRole + 1> next_ = {kNone, kNone, kNone, kNone, kNone, kNone};
};

// All tensors in registration order. A tensor that is accepted has had its references to storages
// and its bytes counted.
class TensorPass {
 public:
  TensorPass(IndexCheck& check, const fbs::Index& index)
      : check_(check), storages_(*index.storages()), order_(storages_) {}

  // Whether the next tensor obeys every rule.
  bool accepts(const fbs::Tensor* tensor) {
    fields_.read(tensor);
    return is_plain() || check_all(0).ok();
  }

  // The same, and which rule it breaks.
  Status check(const fbs::Tensor* tensor, std::uint32_t ordinal) {
    fields_.read(tensor);
    return check_all(ordinal);
  }

  // Of the tensor that was looked at last.
  std::string_view name() const { return text_of(fields_.name); }

  // A storage of the tensors' sections that no tensor referred to.
  std::optional<std::uint32_t> unused_storage() const { return order_.unused(); }

 private:
  ErrorBuilder rejected(std::string_view what) const {
    return check_.rejected(what).tensor(text_of(fields_.name));
  }

  // Nearly all tensors: no strides, no quantization, a name in ASCII, and nothing wrong. One test
  // for all of it; what fails is looked at again by check_all(), which knows every rule by itself.
  bool is_plain() {
    const bool usual = fields_.strides == nullptr && fields_.quantization == nullptr &&
                       !fields_.has_pieces && fields_.shape != nullptr &&
                       fields_.storage < storages_.size() && fields_.requires_grad <= 1 &&
                       fields_.role >= 1 && fields_.role < kAttachmentRole &&
                       element_bytes_[fields_.dtype] != 0;
    if (!usual || !check_.elements_aligned(fields_.shape)) return false;
    const std::size_t rank = fields_.shape->size();
    const std::string_view name = text_of(fields_.name);
    if (rank == 0 || rank > kMaxRank || name.size() > kMaxNameBytes) return false;
    std::uint64_t bytes = element_bytes_[fields_.dtype];
    if ((fields_.byte_offset & (bytes - 1)) != 0) return false;
    for (const std::int64_t dimension : span_of(fields_.shape)) {
      // Zeros are left to check_all(): what is beside them must be looked at all the same.
      if (dimension <= 0 || !checked_mul(bytes, static_cast<std::uint64_t>(dimension), &bytes)) {
        return false;
      }
    }
    if (bytes > kMaxBytes ||
        !range_in(fields_.byte_offset, bytes, storages_.Get(fields_.storage)->bytes())) {
      return false;
    }
    return is_printable_ascii(name) && order_.refer(fields_.storage, fields_.role) &&
           check_.refer(kTableBytes + 4 + name.size() + 1 + 4 + 8 * rank);
  }

  // Everything, one rule after another, to accept what is_plain() does not know and to say what is
  // wrong.
  [[gnu::noinline]] Status check_all(std::uint32_t ordinal) {
    if (!refer()) return check_.over_budget();
    if (!is_valid_name(text_of(fields_.name))) {
      return check_.rejected("F-50: a tensor's name")
          .expected(kValidName)
          .found("tensor " + std::to_string(ordinal) + ", " + quoted(text_of(fields_.name)));
    }
    INGOT_RETURN_IF_ERROR(check_scalars());
    INGOT_RETURN_IF_ERROR(check_shape());
    if (fields_.quantization != nullptr || is_quantized(static_cast<DType>(fields_.dtype))) {
      return check_quantization();
    }
    return {};
  }

  bool refer() {
    std::uint64_t bytes = kTableBytes + 4 + fields_.name->size() + 1;
    if (fields_.shape != nullptr) bytes += 4 + 8 * std::uint64_t{fields_.shape->size()};
    if (fields_.strides != nullptr) bytes += 4 + 8 * std::uint64_t{fields_.strides->size()};
    if (fields_.quantization != nullptr) bytes += kTableBytes;
    return check_.refer(bytes);
  }

  Status check_scalars() {
    if (!is_dtype(fields_.dtype)) {
      return rejected("F-51: element type")
          .expected("a number of docs/format.md, from " + std::to_string(kFirstDType) + " to " +
                    std::to_string(kLastDType))
          .found(fields_.dtype);
    }
    if (fields_.role < 1 || fields_.role >= kAttachmentRole) {
      return rejected("F-52: role").expected("1 to 4").found(fields_.role);
    }
    if (fields_.requires_grad > 1) {
      return rejected("F-53: requires_grad").expected("0 or 1").found(fields_.requires_grad);
    }
    if (fields_.has_pieces) {
      return rejected("F-36: pieces need required feature bit 0")
          .expected("no vector of pieces")
          .found("one");
    }
    return check_storage("storage", fields_.storage);
  }

  Status check_storage(std::string_view field, std::uint32_t storage) {
    if (storage >= storages_.size()) {
      return rejected("F-54: " + std::string(field))
          .expected("below " + std::to_string(storages_.size()))
          .found(storage);
    }
    if (!order_.refer(storage, fields_.role)) {
      return rejected("F-47: storages are not in the order of their first use")
          .expected("one of its role that an earlier tensor uses, or the next")
          .found("storage " + std::to_string(storage));
    }
    return {};
  }

  Status check_shape() {
    if (!check_.elements_aligned(fields_.shape)) return check_.misaligned(fields_.shape);
    if (!check_.elements_aligned(fields_.strides)) return check_.misaligned(fields_.strides);
    const auto shape = span_of(fields_.shape);
    const auto strides = span_of(fields_.strides);
    if (fields_.shape != nullptr && shape.empty()) return check_.empty_vector("shape");
    if (fields_.strides != nullptr && strides.empty()) return check_.empty_vector("strides");
    if (shape.size() > kMaxRank) {
      return rejected("F-55: rank").expected("at most 64").found(shape.size());
    }
    const auto dtype = static_cast<DType>(fields_.dtype);
    if (!strides.empty()) INGOT_RETURN_IF_ERROR(check_strides(dtype, shape, strides));
    const std::optional<Extent> extent = tensor_extent(dtype, shape, strides);
    if (!extent) return no_extent(dtype, shape, strides);
    return check_place(dtype, extent->bytes);
  }

  Status check_strides(DType dtype, std::span<const std::int64_t> shape,
                       std::span<const std::int64_t> strides) const {
    if (dtype_bits(dtype) % 8 != 0) {
      return rejected("F-57: a packed element type has no strides")
          .expected("none")
          .found(list_text(strides));
    }
    if (strides.size() != shape.size()) {
      return rejected("F-58: number of strides").expected(shape.size()).found(strides.size());
    }
    if (is_row_major(shape, strides)) {
      return rejected("F-58: row-major strides are written as absent ones")
          .expected("none")
          .found(list_text(strides));
    }
    return {};
  }

  Status no_extent(DType dtype, std::span<const std::int64_t> shape,
                   std::span<const std::int64_t> strides) const {
    // A packed type that would fit as bytes only fails to fill them.
    if (dtype_bits(dtype) % 8 != 0 && tensor_extent(DType::kUInt8, shape, strides)) {
      return rejected("F-57: packed elements do not fill whole bytes")
          .expected("a multiple of 8 bits")
          .found(std::to_string(dtype_bits(dtype)) + " bits times " + list_text(shape));
    }
    return rejected("F-56: shape and strides: negative, or too large for 64 bits")
        .expected("none below 0, and less than 2^64 bits")
        .found(list_text(shape) + (strides.empty() ? "" : " with strides " + list_text(strides)));
  }

  Status check_place(DType dtype, std::uint64_t bytes) const {
    const auto element_bits = static_cast<std::uint64_t>(dtype_bits(dtype));
    // Whole-byte element sizes are powers of two.
    if (element_bits % 8 == 0 && (fields_.byte_offset & (element_bits / 8 - 1)) != 0) {
      return rejected("F-59: byte_offset")
          .expected("a multiple of " + std::to_string(element_bits / 8))
          .found(fields_.byte_offset);
    }
    const std::uint64_t storage_bytes = storages_.Get(fields_.storage)->bytes();
    if (!range_in(fields_.byte_offset, bytes, storage_bytes)) {
      return rejected("F-60: tensor does not lie within its storage")
          .expected("at most " + std::to_string(storage_bytes) + " bytes")
          .found(std::to_string(bytes) + " at " + std::to_string(fields_.byte_offset));
    }
    return {};
  }

  Status check_quantization() {
    const fbs::Quantization* q = fields_.quantization;
    if ((q != nullptr) != is_quantized(static_cast<DType>(fields_.dtype))) {
      return rejected("F-61: quantization goes with quantised element types, and only with them")
          .expected(q != nullptr ? "none" : "a quantization")
          .found(std::string(q != nullptr ? "one" : "none") + ", and element type " +
                 std::string(dtype_name(static_cast<DType>(fields_.dtype))));
    }
    const auto scheme = static_cast<QuantizationScheme>(q->scheme());
    if (scheme == QuantizationScheme::kPerTensorAffine) {
      if (q->axis() != 0 || q->scales() != 0 || q->zero_points() != 0) {
        return rejected("F-63: per-tensor quantization has an axis or storages")
            .expected("axis 0, storages 0 and 0")
            .found("axis " + std::to_string(q->axis()) + ", storages " +
                   std::to_string(q->scales()) + " and " + std::to_string(q->zero_points()));
      }
      return {};
    }
    if (scheme != QuantizationScheme::kPerChannelAffine &&
        scheme != QuantizationScheme::kPerChannelAffineFloatQParams) {
      return rejected("F-62: quantization scheme").expected("1 to 3").found(q->scheme());
    }
    return check_per_channel(*q, scheme);
  }

  Status check_per_channel(const fbs::Quantization& q, QuantizationScheme scheme) {
    const auto shape = span_of(fields_.shape);
    if (q.axis() < 0 || static_cast<std::size_t>(q.axis()) >= shape.size()) {
      return rejected("F-64: quantization axis")
          .expected("below " + std::to_string(shape.size()))
          .found(std::to_string(q.axis()));
    }
    if (q.scale() != 1.0 || q.zero_point() != 0) {
      return rejected("F-64: per-channel quantization has a scale or zero point of its own")
          .expected("scale 1, zero point 0")
          .found("scale " + std::to_string(q.scale()) + ", zero point " +
                 std::to_string(q.zero_point()));
    }
    const auto channels = static_cast<std::uint64_t>(shape[static_cast<std::size_t>(q.axis())]);
    const std::uint64_t element =
        scheme == QuantizationScheme::kPerChannelAffineFloatQParams ? 4 : 8;
    std::uint64_t bytes = 0;
    if (!checked_mul(channels, element, &bytes)) {
      return rejected("F-65: quantization parameters do not fit in 64 bits")
          .expected("less than 2^64 bytes")
          .found(std::to_string(channels) + " times " + std::to_string(element));
    }
    INGOT_RETURN_IF_ERROR(check_parameters("scales", q.scales(), bytes));
    return check_parameters("zero_points", q.zero_points(), bytes);
  }

  Status check_parameters(std::string_view field, std::uint32_t storage, std::uint64_t bytes) {
    INGOT_RETURN_IF_ERROR(check_storage(field, storage));
    const std::uint64_t found = storages_.Get(storage)->bytes();
    if (found == bytes) return {};
    return rejected("F-65: bytes of " + std::string(field)).expected(bytes).found(found);
  }

  IndexCheck& check_;
  const flatbuffers::Vector<const fbs::Storage*>& storages_;
  StorageOrder order_;
  const std::array<std::uint8_t, 256> element_bytes_ = plain_element_bytes();
  TensorFields fields_;
};

}  // namespace ingot::format
