// A valid golden file in memory, taken apart by its own header so that it can be damaged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace ingot::golden {

using FileBytes = std::vector<std::byte>;

// Bytes of a valid golden, written once a process. Aborts when it cannot be written.
const FileBytes& valid_file(std::string_view name);

// Where the regions were before anything was changed stays known, whatever the header says later.
class Draft {
 public:
  explicit Draft(FileBytes bytes);

  MutableBytes file() { return bytes_; }
  MutableBytes header() { return file().first(4096); }
  MutableBytes second_header() { return file().last(4096); }
  MutableBytes data() { return part(4096, data_end_); }
  MutableBytes digests() { return part(digests_begin_, digests_end_); }
  MutableBytes index() { return part(index_begin_, index_end_); }

  std::size_t data_end() const { return data_end_; }
  std::size_t digests_begin() const { return digests_begin_; }
  std::size_t digests_end() const { return digests_end_; }
  std::size_t index_begin() const { return index_begin_; }
  std::size_t index_end() const { return index_end_; }
  std::size_t size() const { return bytes_.size(); }

  // A field of the first header page.
  template <typename T>
  T get(std::size_t at) const {
    return load_le<T>(bytes_, at);
  }
  template <typename T>
  void set(std::size_t at, T value) {
    store_le<T>(bytes_, at, value);
  }

  void resize(std::size_t bytes) { bytes_.resize(bytes); }

  // Recomputes what an attacker would: digests of index and digest table, root, header digest, and
  // the second copy. Chunk digests stay.
  void seal();
  // The same for the regions that the header names now.
  void reseal();

  FileBytes take() { return std::move(bytes_); }

 private:
  MutableBytes part(std::size_t begin, std::size_t end) {
    return file().subspan(begin, end - begin);
  }

  FileBytes bytes_;
  std::size_t data_end_;
  std::size_t digests_begin_;
  std::size_t digests_end_;
  std::size_t index_begin_;
  std::size_t index_end_;
};

}  // namespace ingot::golden
