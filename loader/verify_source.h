// Where a verification gets bytes from, one piece at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "ingot/status.h"

#include "base/bytes.h"
#include "io/aligned_buffer.h"
#include "io/file.h"
#include "loader/verify_job.h"
#include "loader/verify_scan.h"

namespace ingot::loader {

// One thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t max_bytes() const = 0;
  // Bytes of the file, valid until the next call. REQUIRES: bytes <= max_bytes().
  virtual Result<Bytes> fetch(std::uint64_t offset, std::uint64_t bytes) = 0;
};

// read(2) into a buffer that stays in the cache of the processor that hashes it.
class BufferedSource : public ByteSource {
 public:
  static Result<std::unique_ptr<BufferedSource>> make(io::File& file, std::uint64_t buffer_bytes);
  std::uint64_t max_bytes() const override { return bytes_; }
  Result<Bytes> fetch(std::uint64_t offset, std::uint64_t bytes) override;

 private:
  // Memory of the heap, whose pages are there already when small files are verified one by one.
  using Memory = std::unique_ptr<std::byte[]>;
  BufferedSource(io::File& file, Memory memory, std::uint64_t bytes)
      : file_(file), memory_(std::move(memory)), bytes_(bytes) {}
  io::File& file_;
  Memory memory_;
  std::uint64_t bytes_;
};

// The mapped file itself, each piece populated before it is touched.
class MappedSource : public ByteSource {
 public:
  explicit MappedSource(const io::Mapping& mapping) : mapping_(mapping) {}
  std::uint64_t max_bytes() const override;
  Result<Bytes> fetch(std::uint64_t offset, std::uint64_t bytes) override;

 private:
  const io::Mapping& mapping_;
};

// read(2) past the page cache, of whole aligned blocks.
class DirectSource : public ByteSource {
 public:
  // REQUIRES: alignment is a power of two that divides the file's length.
  static Result<std::unique_ptr<DirectSource>> make(io::File& file, std::uint64_t buffer_bytes);
  std::uint64_t max_bytes() const override;
  Result<Bytes> fetch(std::uint64_t offset, std::uint64_t bytes) override;

 private:
  DirectSource(io::File& file, io::AlignedBuffer buffer)
      : file_(file), buffer_(std::move(buffer)) {}
  io::File& file_;
  io::AlignedBuffer buffer_;
};

// Takes units until there are none. A piece that `fast` cannot give is asked of `careful` again,
// item by item, so that an error names what it concerns and nothing else.
void verify_units(VerifyJob& job, ByteSource& fast, ByteSource& careful);

// The careful way, for the items of a unit that begin before `end`.
void verify_items(VerifyJob& job, UnitScan& scan, std::uint64_t end, ByteSource& careful);

}  // namespace ingot::loader
