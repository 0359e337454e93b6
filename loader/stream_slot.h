// A slot of staging memory, and what it is used for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ingot/device.h"

#include "base/bytes.h"
#include "io/queue.h"
#include "loader/transfer_plan.h"

namespace ingot::loader {

// A slot is in one of three states, in this order, for each transfer:
//   free      nobody uses its memory
//   filling   a source writes to it
//   copying   queues read from it; free again when their fences have been reached
// Belongs to one worker.
struct Slot {
  // Bytes [begin, end) of the file, and where they are.
  struct Segment {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    const std::byte* bytes = nullptr;
  };
  enum class State : std::uint8_t { kFree, kFilling, kCopying };

  State state = State::kFree;
  MutableBytes memory;  // staging, page-aligned; empty when the load needs none
  const Transfer* transfer = nullptr;
  bool in_place = false;         // filled at the destination: nothing is left to copy
  std::byte* target = nullptr;   // where the byte at transfer->begin is to be written
  DeviceFile* reader = nullptr;  // what writes it there, when that is not the processor
  // Once filled: all of the transfer, in file order. One, but for a registered mapping.
  std::array<Segment, 3> segments;

  // kCopying: the fence of each queue, by number of the device.
  std::vector<Fence> fences;
  // kFilling, by O_DIRECT.
  bool arrived = false;
  Status read_status;
  // kCopying, from the mapping.
  std::unique_ptr<HostRegistration> registration;
};

}  // namespace ingot::loader
