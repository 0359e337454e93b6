#include "tools/read/packed_reader.h"

#include <algorithm>

namespace ingot::tools {

std::uint64_t packed_bytes(const TensorInfo& tensor) {
  // In bits: dtypes of 4 and 6 bits are packed. The file's bounds keep the product small.
  return (tensor.numel() * static_cast<std::uint64_t>(dtype_bits(tensor.dtype)) + 7) / 8;
}

PackedReader::PackedReader(const Checkpoint& checkpoint, const TensorInfo& tensor)
    : checkpoint_(checkpoint),
      tensor_(tensor),
      bytes_(packed_bytes(tensor)),
      reader_(checkpoint.internal(), tensor.storage, Verify::kYes, tensor.name) {
  if (!tensor_.is_contiguous()) plan_blocks();
}

void PackedReader::plan_blocks() {
  const auto bits = static_cast<std::uint64_t>(dtype_bits(tensor_.dtype));
  if (bits % 8 != 0 || tensor_.shape.empty() || bytes_ == 0) {
    // Gathered whole: rows might begin within a byte.
    rows_ = 0;
    return;
  }
  std::uint64_t inner = bits / 8;
  split_ = tensor_.shape.size() - 1;
  while (split_ > 0 && inner * static_cast<std::uint64_t>(tensor_.shape[split_]) <= kBlockBytes) {
    inner *= static_cast<std::uint64_t>(tensor_.shape[split_]);
    --split_;
  }
  row_bytes_ = inner;
  rows_ = std::clamp<std::uint64_t>(kBlockBytes / inner, 1,
                                    static_cast<std::uint64_t>(tensor_.shape[split_]));
}

Status PackedReader::load_block(std::uint64_t offset) {
  Slice slice;
  slice.begin.assign(tensor_.shape.size(), 0);
  slice.end.assign(tensor_.shape.begin(), tensor_.shape.end());
  std::uint64_t length = bytes_;
  block_begin_ = 0;
  if (rows_ != 0) {
    // The dimensions before the split are at one index each, that of `offset`.
    const auto extent = static_cast<std::uint64_t>(tensor_.shape[split_]);
    std::uint64_t prefix = offset / row_bytes_ / extent;
    const std::uint64_t first = offset / row_bytes_ % extent / rows_ * rows_;
    const std::uint64_t count = std::min(rows_, extent - first);
    block_begin_ = (prefix * extent + first) * row_bytes_;
    length = count * row_bytes_;
    slice.begin[split_] = static_cast<std::int64_t>(first);
    slice.end[split_] = static_cast<std::int64_t>(first + count);
    for (std::size_t d = split_; d-- > 0;) {
      const auto size = static_cast<std::uint64_t>(tensor_.shape[d]);
      slice.begin[d] = static_cast<std::int64_t>(prefix % size);
      slice.end[d] = slice.begin[d] + 1;
      prefix /= size;
    }
  }
  block_.resize(static_cast<std::size_t>(length));
  return checkpoint_.read_slice(tensor_, slice, block_);
}

Status PackedReader::read(std::uint64_t offset, MutableBytes destination) {
  if (tensor_.is_contiguous()) return reader_.copy(tensor_.byte_offset + offset, destination);
  while (!destination.empty()) {
    if (block_.empty() || offset < block_begin_ || offset - block_begin_ >= block_.size()) {
      INGOT_RETURN_IF_ERROR(load_block(offset));
    }
    const auto skip = static_cast<std::size_t>(offset - block_begin_);
    const std::size_t count = std::min(destination.size(), block_.size() - skip);
    std::copy_n(block_.data() + skip, count, destination.data());
    destination = destination.subspan(count);
    offset += count;
  }
  return {};
}

}  // namespace ingot::tools
