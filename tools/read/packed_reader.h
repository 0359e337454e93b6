// A tensor's elements as one run of bytes, row-major, whatever its strides: verified, and in parts,
// so that memory does not grow with the tensor.
#pragma once

#include <cstdint>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/status.h"

#include "base/bytes.h"
#include "loader/storage_reader.h"

namespace ingot::tools {

// Bytes of a tensor's elements when packed.
std::uint64_t packed_bytes(const TensorInfo& tensor);

// Every byte that read() returns has been checked against its digest. Reading in ascending order
// reads each chunk once where the tensor is contiguous; of others, blocks of rows are gathered.
// One thread. `checkpoint` must outlive it.
class PackedReader {
 public:
  PackedReader(const Checkpoint& checkpoint, const TensorInfo& tensor);

  std::uint64_t bytes() const { return bytes_; }
  // REQUIRES: offset + destination.size() <= bytes().
  Status read(std::uint64_t offset, MutableBytes destination);

 private:
  static constexpr std::uint64_t kBlockBytes = std::uint64_t{64} << 20;

  void plan_blocks();
  Status load_block(std::uint64_t offset);

  const Checkpoint& checkpoint_;
  TensorInfo tensor_;
  std::uint64_t bytes_ = 0;
  loader::StorageReader reader_;

  // Of a strided tensor: blocks of `rows_` indices of dimension `split_`, all of the later ones.
  std::size_t split_ = 0;
  std::uint64_t row_bytes_ = 0;  // packed bytes of one index of that dimension
  std::uint64_t rows_ = 0;
  std::vector<std::byte> block_;
  std::uint64_t block_begin_ = 0;  // packed offset of block_
};

}  // namespace ingot::tools
