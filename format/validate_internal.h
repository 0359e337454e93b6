// Shared by the parts of the index validator.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "ingot/status.h"

#include "base/bytes.h"
#include "base/error.h"
#include "format/index_generated.h"

namespace ingot::format {

// What all checks of one index share. Lives on the validator's stack.
class IndexCheck {
 public:
  IndexCheck(Bytes index, std::uint64_t budget, std::string_view path)
      : base_(index.data()), budget_(budget), path_(path) {}

  // Messages begin with the rule's number.
  ErrorBuilder rejected(std::string_view what) const {
    return make_error(Code::kRejected, what).file(path_).at(Region::kIndex);
  }
  ErrorBuilder unsupported(std::string_view what) const {
    return make_error(Code::kUnsupported, what).file(path_).at(Region::kIndex);
  }

  // Counts bytes that the index refers to (rule F-32). Every byte of a canonical index is referred
  // to once, so what they add up to cannot exceed its length; aliases make it exceed.
  [[nodiscard]] bool refer(std::uint64_t bytes) {
    if (bytes > budget_) return false;
    budget_ -= bytes;
    return true;
  }
  [[nodiscard]] bool refer(const flatbuffers::String* text) {
    return refer(std::uint64_t{4} + text->size() + 1);
  }
  // A vector's length field and elements. Null counts nothing.
  template <typename T>
  [[nodiscard]] bool refer(const flatbuffers::Vector<T>* vector, std::uint64_t element_bytes) {
    return vector == nullptr || refer(4 + element_bytes * vector->size());
  }
  std::uint64_t budget() const { return budget_; }
  Status over_budget() const {
    return rejected("F-32: parts of the index are referred to more than once")
        .expected("references to no more bytes than the index has")
        .found("more");
  }

  // The Verifier checks the alignment of a vector's length field, not that of its elements.
  template <typename T>
  bool elements_aligned(const flatbuffers::Vector<T>* vector) const {
    if (vector == nullptr || vector->size() == 0) return true;
    return (reinterpret_cast<const std::byte*>(vector) + 4 - base_) % 8 == 0;
  }
  // REQUIRES: !elements_aligned(vector).
  template <typename T>
  Status misaligned(const flatbuffers::Vector<T>* vector) const {
    const auto offset = reinterpret_cast<const std::byte*>(vector) + 4 - base_;
    return rejected("F-31: a vector of 8-byte elements is not aligned to 8")
        .expected("an offset that is a multiple of 8")
        .found(static_cast<std::uint64_t>(offset));
  }
  // `field` has no elements.
  Status empty_vector(std::string_view field) const {
    return rejected("F-34: " + std::string(field) + ": an empty vector is written as an absent one")
        .expected("none, or elements")
        .found("a vector of 0 elements");
  }

 private:
  const std::byte* base_;
  std::uint64_t budget_;
  std::string_view path_;
};

inline std::string_view text_of(const flatbuffers::String* text) {
  return {reinterpret_cast<const char*>(text->Data()), text->size()};
}

inline constexpr std::uint64_t kTableBytes = 4;   // of a table: what it counts in F-32
inline constexpr std::uint64_t kOffsetBytes = 4;  // of an element of a vector of tables or strings

// Rules F-50 to F-65: tensors, and which storages they use.
Status validate_tensors(IndexCheck& check, const fbs::Index& index);
// Rules F-71 to F-73. Of names that validate_tensors() would refuse it may say anything, soon.
Status validate_names(IndexCheck& check, const fbs::Index& index);
// Rules F-90 to F-99.
Status validate_state(IndexCheck& check, const fbs::StateTree& state, std::uint32_t tensor_count);

// Whether a name obeys F-50.
bool is_valid_name(std::string_view name);
inline constexpr std::string_view kValidName =
    "1 to 1024 bytes of UTF-8 without control characters";

// For messages: the text in quotes, cut when it is long, and its length.
std::string quoted(std::string_view text);
// For messages: "[2, 3]".
std::string list_text(std::span<const std::int64_t> numbers);

// Sixteen bytes at once, on every machine that the compiler knows vectors of.
using ByteVector = signed char __attribute__((vector_size(16)));

inline ByteVector load_bytes(const char* from) {
  ByteVector bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return bytes;
}

// Whether a text is all printable ASCII, as nearly all names are. False for short ones: those are
// left to is_printable_utf8(). The last vector overlaps the one before it, so that no byte is
// looked at alone.
inline bool is_printable_ascii(std::string_view text) {
  constexpr std::size_t kStep = sizeof(ByteVector);
  if (text.size() < kStep) return false;
  const ByteVector last = load_bytes(text.data() + text.size() - kStep);
  ByteVector right = (last > 0x1F) & (last != 0x7F);  // bytes from 0x80 on are negative
  for (std::size_t i = 0; i + kStep < text.size(); i += kStep) {
    const ByteVector bytes = load_bytes(text.data() + i);
    right &= (bytes > 0x1F) & (bytes != 0x7F);
  }
  std::uint64_t halves[2];
  std::memcpy(halves, &right, sizeof halves);
  return (halves[0] & halves[1]) == ~std::uint64_t{0};
}

}  // namespace ingot::format
