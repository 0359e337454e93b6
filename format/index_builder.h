// A FlatBuffer, put together from its end to its beginning.
//
// FlatBufferBuilder makes the same bytes (tests compare), but needs memory for all of them, to come
// back to what it wrote. This one settles every byte before it puts it, so that they may go to
// memory, or be compared with bytes that are there: proving that an index of 14 MB is canonical
// takes no second one, whose page faults cost as much as the proof.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace ingot::format {

// Bytes go to memory, which has room for them.
class ToMemory {
 public:
  explicit ToMemory(MutableBytes room) : room_(room), left_(room.size()) {}

  // Before what was put earlier.
  void put(const void* bytes, std::size_t count) {
    if (count > left_) {
      fits_ = false;
      return;
    }
    left_ -= count;
    std::memcpy(room_.data() + left_, bytes, count);
  }
  // Whether there was room. If not, nothing is to be had.
  bool fits() const { return fits_; }
  MutableBytes bytes() const { return room_.subspan(left_); }

 private:
  MutableBytes room_;
  std::size_t left_;
  bool fits_ = true;
};

// Bytes are compared with others.
class ToComparison {
 public:
  explicit ToComparison(Bytes with) : with_(with), left_(with.size()) {}

  void put(const void* bytes, std::size_t count) {
    if (count > left_) {
      equal_ = false;
      return;
    }
    left_ -= count;
    equal_ &= std::memcmp(with_.data() + left_, bytes, count) == 0;
  }
  bool equal() const { return equal_ && left_ == 0; }

 private:
  Bytes with_;
  std::size_t left_;
  bool equal_ = true;
};

// Nothing is nested: parts are put before the table that refers to them.
template <typename Out>
class IndexBuilder {
 public:
  template <typename T>
  using Offset = flatbuffers::Offset<T>;
  template <typename T>
  using Vector = flatbuffers::Vector<T>;

  explicit IndexBuilder(Out& out) : out_(out) {}

  // Bytes put so far.
  std::uint32_t size() const { return size_; }

  Offset<flatbuffers::String> add_string(std::string_view text) {
    align_before(text.size() + 1, sizeof(std::uint32_t));
    put_zeros(1);
    put_bytes(text.data(), text.size());
    return put_aligned(static_cast<std::uint32_t>(text.size()));
  }

  // Scalars or structs.
  template <typename T, typename Stored = T>
  Offset<Vector<Stored>> add_vector(std::span<const T> values) {
    align_vector<T>(values.size());
    put_bytes(values.data(), values.size_bytes());
    return put_aligned(static_cast<std::uint32_t>(values.size()));
  }
  // The same, one by one.
  template <typename T, typename Stored = T, typename Get>
  Offset<Vector<Stored>> add_vector(std::size_t count, Get get) {
    align_vector<T>(count);
    for (std::size_t i = count; i-- > 0;) {
      const T value = get(i);
      put_bytes(&value, sizeof value);
    }
    return put_aligned(static_cast<std::uint32_t>(count));
  }
  template <typename T>
  Offset<Vector<Offset<T>>> add_vector(const std::vector<Offset<T>>& offsets) {
    align_vector<std::uint32_t>(offsets.size());
    for (std::size_t i = offsets.size(); i-- > 0;) put_reference(offsets[i].o);
    return put_aligned(static_cast<std::uint32_t>(offsets.size()));
  }

  void start_table() {
    fields_ = {};
    words_ = kFixedWords;
    start_ = size_;
  }
  // `field` is the schema's VT_ constant.
  template <typename T>
  void add_field(flatbuffers::voffset_t field, T value) {
    set_field(field, put_aligned(value));
  }
  // A null offset leaves the field out.
  template <typename T>
  void add_field(flatbuffers::voffset_t field, Offset<T> offset) {
    if (!offset.IsNull()) set_field(field, put_reference(offset.o));
  }
  template <typename T>
  Offset<T> end_table() {
    align(sizeof(std::int32_t));
    const std::uint32_t table = size_ + static_cast<std::uint32_t>(sizeof(std::int32_t));
    const Vtable vtable = describe(table);
    const std::size_t known = find(vtable);
    const std::uint32_t at = known < vtables_.size() ? vtables_[known].at : table + vtable.words[0];
    put_aligned(static_cast<std::int32_t>(at) - static_cast<std::int32_t>(table));
    if (known == vtables_.size()) {
      put_bytes(vtable.words.data(), vtable.words[0]);
      vtables_.push_back(vtable);
      vtables_.back().at = at;
    }
    latest_ = known;
    return table;
  }

  void finish(std::uint32_t root, const char* identifier) {
    align_before(sizeof root + flatbuffers::kFileIdentifierLength, most_aligned_);
    put_bytes(identifier, flatbuffers::kFileIdentifierLength);
    put_reference(root);
  }

 private:
  static constexpr std::size_t kFixedWords = 2;  // bytes of the vtable, bytes of the table
  static constexpr std::size_t kMaxFields = 10;
  // Where its fields lie in a table; tables of one shape share it.
  struct Vtable {
    std::array<std::uint16_t, kFixedWords + kMaxFields> words{};
    std::uint32_t at = 0;  // from the end, as all offsets here
  };

  Vtable describe(std::uint32_t table) const {
    Vtable vtable;
    vtable.words[0] = static_cast<std::uint16_t>(words_ * sizeof(std::uint16_t));
    vtable.words[1] = static_cast<std::uint16_t>(table - start_);
    for (std::size_t i = kFixedWords; i < words_; ++i) {
      if (fields_[i] != 0) vtable.words[i] = static_cast<std::uint16_t>(table - fields_[i]);
    }
    return vtable;
  }

  // Position in vtables_, or its size. Most tables are like the one before.
  std::size_t find(const Vtable& vtable) const {
    const auto same = [&](const Vtable& other) { return other.words == vtable.words; };
    if (latest_ < vtables_.size() && same(vtables_[latest_])) return latest_;
    const auto found = std::find_if(vtables_.begin(), vtables_.end(), same);
    return static_cast<std::size_t>(found - vtables_.begin());
  }

  void set_field(flatbuffers::voffset_t field, std::uint32_t at) {
    const std::size_t word = field / sizeof(std::uint16_t);
    fields_[word] = at;
    words_ = std::max(words_, word + 1);
  }

  void put_bytes(const void* bytes, std::size_t count) {
    if (count == 0) return;
    out_.put(bytes, count);
    size_ += static_cast<std::uint32_t>(count);
  }
  void put_zeros(std::size_t count) {  // fewer than the largest alignment
    static constexpr std::array<std::byte, 16> kZeros{};
    put_bytes(kZeros.data(), count);
  }
  template <typename T>
  std::uint32_t put_aligned(T value) {
    align(sizeof value);
    put_bytes(&value, sizeof value);
    return size_;
  }
  std::uint32_t put_reference(std::uint32_t to) {
    align(sizeof to);
    const std::uint32_t distance = size_ - to + static_cast<std::uint32_t>(sizeof to);
    put_bytes(&distance, sizeof distance);
    return size_;
  }
  void align(std::size_t alignment) { align_before(0, alignment); }
  // So that what is `count` bytes further on is aligned.
  void align_before(std::size_t count, std::size_t alignment) {
    most_aligned_ = std::max(most_aligned_, alignment);
    put_zeros((~(size_ + count) + 1) & (alignment - 1));
  }
  template <typename T>
  void align_vector(std::size_t count) {
    if (count == 0) return;
    align_before(count * sizeof(T), std::max(alignof(T), sizeof(std::uint32_t)));
  }

  Out& out_;
  std::uint32_t size_ = 0;
  std::size_t most_aligned_ = 1;
  std::vector<Vtable> vtables_;
  std::size_t latest_ = 0;
  // Of the table that was started.
  std::array<std::uint32_t, kFixedWords + kMaxFields> fields_{};
  std::size_t words_ = kFixedWords;
  std::uint32_t start_ = 0;
};

}  // namespace ingot::format
