#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "ingot/tensor.h"

#include "base/checked.h"
#include "format/constants.h"
#include "format/digest.h"
#include "format/extent.h"
#include "format/validate_internal.h"

namespace ingot::format {
namespace {

constexpr std::uint64_t kBytesHigh = 0x8080808080808080u;

// Whether eight bytes are all printable ASCII.
bool is_printable_word(std::uint64_t word) {
  const std::uint64_t below_space = word - 0x2020202020202020u;
  const std::uint64_t is_delete = (word ^ 0x7F7F7F7F7F7F7F7Fu) - 0x0101010101010101u;
  return ((word | below_space | is_delete) & kBytesHigh) == 0;
}

// Nearly all names are: the last word overlaps the one before it, so no byte is looked at alone.
bool is_printable_ascii(std::string_view text) {
  if (text.size() < 8) return false;  // left to the general check
  const Bytes bytes = as_bytes(text);
  bool printable = is_printable_word(load_le<std::uint64_t>(bytes, bytes.size() - 8));
  for (std::size_t i = 0; i + 8 < bytes.size(); i += 8) {
    printable &= is_printable_word(load_le<std::uint64_t>(bytes, i));
  }
  return printable;
}

std::span<const std::int64_t> span_of(const flatbuffers::Vector<std::int64_t>* vector) {
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

class TensorPass {
 public:
  TensorPass(IndexCheck& check, const fbs::Index& index)
      : check_(check), storages_(*index.storages()), order_(storages_) {}

  Status next(const fbs::Tensor* tensor) {
    fields_.read(tensor);
    if (!refer()) return check_.over_budget();
    if (!is_valid_name(text_of(fields_.name))) {
      return check_.rejected("F-50: a tensor's name").found("tensor " + std::to_string(ordinal_));
    }
    INGOT_RETURN_IF_ERROR(check_scalars());
    INGOT_RETURN_IF_ERROR(check_shape());
    if (fields_.quantization != nullptr || is_quantized(static_cast<DType>(fields_.dtype))) {
      INGOT_RETURN_IF_ERROR(check_quantization());
    }
    ++ordinal_;
    return {};
  }

  Status finish() const {
    if (const auto storage = order_.unused()) {
      return check_.rejected("F-47: storage " + std::to_string(*storage) + " belongs to no tensor");
    }
    return {};
  }

 private:
  ErrorBuilder rejected(std::string_view what) const {
    return check_.rejected(what).tensor(text_of(fields_.name));
  }

  bool refer() {
    std::uint64_t bytes = kTableBytes + 4 + fields_.name->size() + 1;
    if (fields_.shape != nullptr) bytes += 4 + 8 * std::uint64_t{fields_.shape->size()};
    if (fields_.strides != nullptr) bytes += 4 + 8 * std::uint64_t{fields_.strides->size()};
    if (fields_.quantization != nullptr) bytes += kTableBytes;
    return check_.refer(bytes);
  }

  Status check_scalars() {
    if (!is_dtype(fields_.dtype)) return rejected("F-51: element type").found(fields_.dtype);
    if (fields_.role < 1 || fields_.role >= kAttachmentRole) {
      return rejected("F-52: role").expected("1 to 4").found(fields_.role);
    }
    if (fields_.requires_grad > 1) {
      return rejected("F-53: requires_grad").expected("0 or 1").found(fields_.requires_grad);
    }
    if (fields_.has_pieces) return rejected("F-36: pieces need required feature bit 0");
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
          .found("storage " + std::to_string(storage));
    }
    return {};
  }

  Status check_shape() {
    if (!check_.elements_aligned(fields_.shape) || !check_.elements_aligned(fields_.strides)) {
      return check_.misaligned();
    }
    const auto shape = span_of(fields_.shape);
    const auto strides = span_of(fields_.strides);
    if ((fields_.shape != nullptr && shape.empty()) ||
        (fields_.strides != nullptr && strides.empty())) {
      return rejected("F-34: shape, strides: an empty vector is written as an absent one");
    }
    if (shape.size() > kMaxRank) {
      return rejected("F-55: rank").expected("at most 64").found(shape.size());
    }
    const auto dtype = static_cast<DType>(fields_.dtype);
    if (!strides.empty()) INGOT_RETURN_IF_ERROR(check_strides(dtype, shape, strides));
    const std::optional<Extent> extent = tensor_extent(dtype, shape, strides);
    if (!extent) return rejected(why_no_extent(dtype, shape, strides));
    return check_place(dtype, extent->bytes);
  }

  Status check_strides(DType dtype, std::span<const std::int64_t> shape,
                       std::span<const std::int64_t> strides) const {
    if (dtype_bits(dtype) % 8 != 0) return rejected("F-57: a packed element type has no strides");
    if (strides.size() != shape.size()) {
      return rejected("F-58: number of strides").expected(shape.size()).found(strides.size());
    }
    if (is_row_major(shape, strides)) {
      return rejected("F-58: row-major strides are written as absent ones");
    }
    return {};
  }

  static std::string_view why_no_extent(DType dtype, std::span<const std::int64_t> shape,
                                        std::span<const std::int64_t> strides) {
    // A packed type that would fit as bytes only fails to fill them.
    if (dtype_bits(dtype) % 8 != 0 && tensor_extent(DType::kUInt8, shape, strides)) {
      return "F-57: packed elements do not fill whole bytes";
    }
    return "F-56: shape and strides: negative, or too large for 64 bits";
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
      return rejected("F-61: quantization goes with quantised element types, and only with them");
    }
    const auto scheme = static_cast<QuantizationScheme>(q->scheme());
    if (scheme == QuantizationScheme::kPerTensorAffine) {
      if (q->axis() != 0 || q->scales() != 0 || q->zero_points() != 0) {
        return rejected("F-63: per-tensor quantization has an axis or storages");
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
      return rejected("F-64: per-channel quantization has a scale or zero point of its own");
    }
    const auto channels = static_cast<std::uint64_t>(shape[static_cast<std::size_t>(q.axis())]);
    const std::uint64_t element =
        scheme == QuantizationScheme::kPerChannelAffineFloatQParams ? 4 : 8;
    std::uint64_t bytes = 0;
    if (!checked_mul(channels, element, &bytes)) {
      return rejected("F-65: quantization parameters do not fit in 64 bits");
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
  TensorFields fields_;
  std::uint32_t ordinal_ = 0;
};

// name_hashes and name_tensors against the tensors. Both have as many entries as there are tensors,
// every entry names a tensor whose name has that hash, and (hash, name) ascends strictly; so no
// tensor is named twice, hence each is named once, and all names differ.
class NamePass {
 public:
  NamePass(const IndexCheck& check, const fbs::Index& index)
      : check_(check),
        tensors_(*index.tensors()),
        hashes_(index.name_hashes()->data(), index.name_hashes()->size()),
        ordinals_(index.name_tensors()->data(), index.name_tensors()->size()) {}

  // Entries lie in the order of their hashes, so each leads to another cache line: what is needed
  // a few entries later is fetched ahead, first the offset of the table, then the table and what
  // follows it (the name, as the encoder places it).
  Status run() {
    const std::size_t count = hashes_.size();
    for (std::size_t i = 0; i < std::min(count, 2 * kAhead); ++i) {
      if (ordinals_[i] >= count) return bad_ordinal(i);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (i + 2 * kAhead < count) {
        const std::uint32_t later = ordinals_[i + 2 * kAhead];
        if (later >= count) return bad_ordinal(i + 2 * kAhead);
        __builtin_prefetch(tensors_.Data() + std::size_t{4} * later);
      }
      if (i + kAhead < count) {
        const auto* table = reinterpret_cast<const char*>(tensors_.Get(ordinals_[i + kAhead]));
        __builtin_prefetch(table);
        __builtin_prefetch(table + 64);
      }
      INGOT_RETURN_IF_ERROR(check_entry(i));
    }
    return {};
  }

 private:
  static constexpr std::size_t kAhead = 12;

  std::string_view name(std::size_t i) const { return text_of(tensors_.Get(ordinals_[i])->name()); }

  Status bad_ordinal(std::size_t i) const {
    return check_.rejected("F-71: name_tensors")
        .expected("below " + std::to_string(hashes_.size()))
        .found(ordinals_[i]);
  }

  Status check_entry(std::size_t i) {
    const std::uint64_t hash = hashes_[i];
    if (xxh3_64(as_bytes(name(i))) != hash) {
      return check_.rejected("F-72: name_hashes: not the hash of the name").tensor(name(i));
    }
    if (i == 0 || hashes_[i - 1] < hash) {
      run_ = 1;
      return {};
    }
    if (hashes_[i - 1] > hash || name(i - 1) >= name(i)) {
      return check_.rejected("F-71: names are not unique and in order of their hashes")
          .tensor(name(i));
    }
    if (++run_ > kMaxHashRun) {
      return check_.rejected("F-73: too many names share a hash").tensor(name(i));
    }
    return {};
  }

  const IndexCheck& check_;
  const flatbuffers::Vector<flatbuffers::Offset<fbs::Tensor>>& tensors_;
  std::span<const std::uint64_t> hashes_;
  std::span<const std::uint32_t> ordinals_;
  std::size_t run_ = 0;
};

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         (is_printable_ascii(name) || is_printable_utf8(name));
}

Status validate_tensors(IndexCheck& check, const fbs::Index& index) {
  TensorPass pass(check, index);
  for (const fbs::Tensor* tensor : *index.tensors()) INGOT_RETURN_IF_ERROR(pass.next(tensor));
  INGOT_RETURN_IF_ERROR(pass.finish());
  return NamePass(check, index).run();
}

}  // namespace ingot::format
