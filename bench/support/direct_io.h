// The ceilings of storage: sequential O_DIRECT transfers by io_uring, written without the library's
// own io, so that a mistake there cannot lower the bar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace ingot::bench {

struct DirectIoShape {
  std::size_t block_bytes = std::size_t{1} << 20;
  unsigned depth = 8;

  std::string name() const;  // "4MiB-depth32"
};
// What is tried for a ceiling: 1, 4 and 8 MiB at depth 8 and 32.
inline constexpr DirectIoShape kDirectIoShapes[] = {
    {std::size_t{1} << 20, 8},  {std::size_t{1} << 20, 32}, {std::size_t{4} << 20, 8},
    {std::size_t{4} << 20, 32}, {std::size_t{8} << 20, 8},  {std::size_t{8} << 20, 32},
};

// Whether files in this folder can be read with O_DIRECT.
bool has_direct_io(const std::string& folder);

// What is done with each block when it has arrived.
using Visit = std::function<void(std::span<const std::byte>)>;
// Seconds to read the whole file front to back, buffers and ring not counted. Throws on errors.
double read_direct(const std::string& path, const DirectIoShape& shape, const Visit& visit = {});
// The same to memory as large as the file (and up to 4095 bytes larger), each byte to its own
// place. REQUIRES: memory aligned to 4096.
double read_direct_into(const std::string& path, std::span<std::byte> memory,
                        const DirectIoShape& shape);

// Seconds to make `path` out of `bytes`: create, fallocate, write straight out of the caller's
// memory, fsync the file and its folder. REQUIRES: data aligned to 4096, size a multiple of it.
double write_direct(const std::string& path, std::span<const std::byte> bytes,
                    const DirectIoShape& shape);

// Brings a block to the slot that it is written from.
using Take = std::function<void(std::span<const std::byte> block, std::span<std::byte> slot)>;
// The same through slots, one for each write in flight; making them counts.
double write_direct_through(const std::string& path, std::span<const std::byte> bytes,
                            const DirectIoShape& shape, const Take& take);

}  // namespace ingot::bench
