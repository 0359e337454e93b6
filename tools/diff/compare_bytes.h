// Compares two tensors, reading as little as the stored digests allow.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "ingot/progress.h"
#include "ingot/status.h"

#include "io/aligned_buffer.h"
#include "tools/diff/source.h"
#include "tools/diff/values.h"

namespace ingot::tools {

enum class Detail : std::uint8_t {
  kDiffers,  // whether they differ: stops at the first difference
  kValues,   // how much: goes on to the end
};

struct BytesDiff {
  bool differs = false;
  std::optional<ValueDiff> values;  // with Detail::kValues, when they differ
};

// Buffers are kept from tensor to tensor: 8 MiB each, or a chunk where chunks are larger. One
// thread.
class BytesComparer {
 public:
  explicit BytesComparer(const CancelFlag* cancel) : cancel_(cancel) {}

  // REQUIRES: as many elements on both sides; when the dtypes are equal, as many bytes.
  // Only with equal dtypes can anything be known without reading.
  Result<BytesDiff> compare(const TensorFacts& a, TensorBytes& bytes_a, const TensorFacts& b,
                            TensorBytes& bytes_b, Detail detail);

  std::uint64_t bytes_read() const { return bytes_read_; }  // of both sides

 private:
  struct Side {
    TensorBytes* bytes;
    std::uint64_t bits;  // of an element
    io::AlignedBuffer buffer;
    bool loaded = false;  // whether `part` was read for the current part
    MutableBytes part;
  };

  Status prepare(Side& side, std::uint64_t elements);
  Status load(Side& side, std::uint64_t first, std::uint64_t elements);
  Result<std::optional<bool>> equal_by_digests(std::uint64_t first, std::uint64_t elements);
  bool stored_equals(const Side& stored, std::uint64_t chunk, std::uint64_t begin,
                     std::uint64_t end) const;

  const CancelFlag* cancel_;
  Side a_{};
  Side b_{};
  std::uint64_t bytes_read_ = 0;
};

}  // namespace ingot::tools
