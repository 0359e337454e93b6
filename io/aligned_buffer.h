// Page-aligned private memory, on huge pages where they help.
#pragma once

#include <cstdint>

#include "ingot/status.h"

#include "base/bytes.h"

namespace ingot::io {

// Owns zeroed memory aligned to at least 4096. Movable. 2 MiB pages are asked for when it is large:
// faulting a 14 MiB index in by 4 KiB costs more than hashing it.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // kResourceExhausted when there is no memory.
  static Result<AlignedBuffer> allocate(std::uint64_t bytes);
  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer();

  MutableBytes bytes() const { return {data_, size_}; }
  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;      // as asked for
  std::size_t reserved_ = 0;  // as mapped
};

}  // namespace ingot::io
