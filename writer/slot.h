// One staging slot (staging.h).
#pragma once

#include <cstdint>
#include <vector>

#include "ingot/digest.h"

#include "base/bytes.h"
#include "io/aligned_buffer.h"

namespace ingot::writer {

struct Slot {
  enum class State : std::uint8_t {
    kFree,
    kHeld,      // taken by a thread that has not begun to use it
    kOpen,      // may be appended to
    kSealed,    // waits until all of its reservations are finished
    kInFlight,  // being hashed, or with the queue
  };
  // A run of bytes in the slot, with the digest that it must have.
  struct Record {
    std::uint32_t begin = 0;
    std::uint32_t bytes = 0;
    Digest128 digest;
  };

  std::uint32_t number = 0;
  State state = State::kFree;
  io::AlignedBuffer memory;
  std::uint64_t base = 0;           // file offset of the first byte of memory: a multiple of a page
  std::uint64_t begin = 0;          // file offset of the first byte to write
  std::uint64_t end = 0;            // and of the first byte that is not
  std::uint64_t padding_after = 0;  // bytes behind `end` that are zero and no other slot's
  std::uint64_t counted_bytes = 0;  // for progress
  std::vector<Record> records;      // ascending; what lies between them is padding
  std::uint32_t unfinished = 0;     // reservations
  std::uint32_t parts_in_flight = 0;
  Slot* heir = nullptr;  // takes over the last, partial page

  MutableBytes at(std::uint64_t file_offset, std::uint64_t bytes) const {
    return memory.bytes().subspan(file_offset - base, bytes);
  }
  std::uint64_t capacity_end() const { return base + memory.size(); }
};

}  // namespace ingot::writer
