// Page-aligned private memory, on huge pages where they help.
#pragma once

#include <cstdint>

#include "ingot/status.h"

#include "base/bytes.h"

namespace ingot::io {

inline constexpr std::uint64_t kHugePageBytes = std::uint64_t{2} << 20;

// What memory is for decides about its pages.
enum class MemoryUse : std::uint8_t {
  // Transfers, again and again: all of a buffer that fills huge pages lies on them, whatever those
  // cost at first. A read into 256 small pages is as many segments for the device, and several
  // requests. What is left, less than a huge page, lies on small ones: such buffers have a budget,
  // and take what was asked for and no more.
  kTransfers,
  // Content that is brought in once and then read: on huge pages where they are cheaper to touch
  // first (fresh_memory.h), the last of which may be filled in part.
  kContent,
};

// Owns zeroed memory aligned to at least 4096; to a huge page when it has one. Movable.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // kResourceExhausted when there is no memory.
  static Result<AlignedBuffer> allocate(std::uint64_t bytes, MemoryUse use = MemoryUse::kTransfers);
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
