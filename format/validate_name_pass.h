// Rules F-71 to F-73: name_hashes and name_tensors against the tensors. Both have as many entries
// as there are tensors, every entry names a tensor whose name has that hash, and (hash, name)
// ascends strictly; so no tensor is named twice, hence each is named once, and all names differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "format/constants.h"
#include "format/digest.h"
#include "format/validate_internal.h"

namespace ingot::format {

// accepts_...() together decide; check() says which rule an entry breaks. REQUIRES: no name is
// longer than names may be.
class NamePass {
 public:
  NamePass(const IndexCheck& check, const fbs::Index& index)
      : check_(check),
        tensors_(*index.tensors()),
        hashes_(index.name_hashes()->data(), index.name_hashes()->size()),
        ordinals_(index.name_tensors()->data(), index.name_tensors()->size()) {}

  // Whether entries that name the tensors from `first` on have the hashes given for those.
  bool accepts_hashes(std::uint32_t first, std::span<const std::uint64_t> of_tensors) const {
    bool equal = true;
    for (std::size_t i = 0; i < hashes_.size(); ++i) {
      const std::uint32_t at = ordinals_[i] - first;  // wraps for those before: not below the size
      if (at < of_tensors.size()) equal &= of_tensors[at] == hashes_[i];
    }
    return equal;
  }

  // Whether entries name tensors that exist, in strictly ascending order. REQUIRES: every hash is
  // the right one.
  bool accepts_order() const {
    bool ascends = true;
    bool exists = hashes_.empty() || ordinals_[0] < hashes_.size();
    for (std::size_t i = 1; i < hashes_.size(); ++i) {
      ascends &= hashes_[i - 1] < hashes_[i];
      exists &= ordinals_[i] < hashes_.size();
    }
    return exists && (ascends || equal_hashes_are_right());
  }

  Status check(std::size_t i) {
    if (ordinals_[i] >= hashes_.size()) {
      return check_.rejected("F-71: name_tensors")
          .expected("below " + std::to_string(hashes_.size()))
          .found(ordinals_[i]);
    }
    const std::uint64_t hash = xxh3_64(as_bytes(name(i)));
    if (hash != hashes_[i]) {
      return check_.rejected("F-72: name_hashes: not the hash of the name")
          .tensor(name(i))
          .expected(hex(hash))
          .found(hex(hashes_[i]));
    }
    if (i == 0 || hashes_[i - 1] < hashes_[i]) {
      run_ = 1;
      return {};
    }
    if (hashes_[i - 1] > hashes_[i] || name(i - 1) >= name(i)) {
      return check_.rejected("F-71: names are not unique and in order of their hashes")
          .tensor(name(i))
          .expected("after " + quoted(name(i - 1)) + " with hash " + hex(hashes_[i - 1]))
          .found(quoted(name(i)) + " with hash " + hex(hashes_[i]));
    }
    if (++run_ > kMaxHashRun) {
      return check_.rejected("F-73: too many names share a hash")
          .tensor(name(i))
          .expected("at most " + std::to_string(kMaxHashRun))
          .found(run_);
    }
    return {};
  }

 private:
  std::string_view name(std::size_t i) const { return text_of(tensors_.Get(ordinals_[i])->name()); }

  bool equal_hashes_are_right() const {
    std::size_t run = 1;
    for (std::size_t i = 1; i < hashes_.size(); ++i) {
      if (hashes_[i - 1] < hashes_[i]) {
        run = 1;
        continue;
      }
      if (hashes_[i - 1] > hashes_[i] || name(i - 1) >= name(i) || ++run > kMaxHashRun)
        return false;
    }
    return true;
  }

  const IndexCheck& check_;
  const flatbuffers::Vector<flatbuffers::Offset<fbs::Tensor>>& tensors_;
  std::span<const std::uint64_t> hashes_;
  std::span<const std::uint32_t> ordinals_;
  std::size_t run_ = 0;
};

}  // namespace ingot::format
