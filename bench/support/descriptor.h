// File descriptors, mapped memory and errno for code that must not stand on the library's own io.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ingot::bench {

// Throws std::system_error.
[[noreturn]] void throw_errno(const std::string& what, int error = errno);

// Owns a descriptor. Throws when it cannot open.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, unsigned mode = 0644);
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return descriptor_; }
  std::uint64_t size() const;

 private:
  int descriptor_;
};

// Anonymous memory on huge pages where the kernel gives them, every page touched.
class Memory {
 public:
  explicit Memory(std::uint64_t bytes);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  std::span<std::byte> bytes() const { return {data_, size_}; }
  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;      // as asked for
  std::size_t reserved_ = 0;  // as mapped: whole huge pages
};

// A whole file, mapped read-only and populated.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ingot::bench
