// What the machine can do at best: measured beside a load, and by other code than the load's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ingot/device.h"
#include "ingot/status.h"

namespace ingot::tools {

// Bytes a second of one run, or why there is none.
class Ceiling {
 public:
  virtual ~Ceiling() = default;
  // "memcpy, 2 threads".
  virtual std::string name() const = 0;
  virtual Result<double> measure() = 0;
};

// memcpy between two buffers of the host, in parts that the threads take in turn.
Result<std::unique_ptr<Ceiling>> copy_ceiling(std::uint64_t bytes, int threads);
// Copies from pinned memory to a device.
Result<std::unique_ptr<Ceiling>> device_ceiling(Device& device, std::uint64_t bytes);
// Sequential O_DIRECT reads of the file itself, many in flight.
Result<std::unique_ptr<Ceiling>> storage_ceiling(const std::string& path);

}  // namespace ingot::tools
