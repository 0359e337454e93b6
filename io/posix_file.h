// A File on a descriptor. Private to the real file system.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "io/file.h"

namespace ingot::io {

// Bytes that one read or write asks for at most. Linux transfers at most 0x7ffff000 in a call; a
// power of two keeps clipped O_DIRECT requests aligned.
inline constexpr std::uint64_t kMaxCallBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t clip_call(std::uint64_t bytes) {
  return bytes < kMaxCallBytes ? bytes : kMaxCallBytes;
}

FileStat to_file_stat(const struct ::stat& now);

// Closes the descriptor when it goes.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~OwnedDescriptor();
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : descriptor_(other.release()) {}
  OwnedDescriptor& operator=(OwnedDescriptor&&) = delete;

  int get() const { return descriptor_; }  // negative: there is none
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

// `path` is what errors call the file.
std::unique_ptr<File> adopt_descriptor(OwnedDescriptor descriptor, std::string path,
                                       DirectAlignment alignment = {});

// A second description of what `descriptor` has open, with O_DIRECT (File::reopen_direct).
Result<std::unique_ptr<File>> open_direct(int descriptor, const std::string& path);

// A private mapping of a descriptor (File::map). `offset` need not be aligned.
Result<std::unique_ptr<Mapping>> map_descriptor(int descriptor, const std::string& path,
                                                std::uint64_t offset, std::uint64_t length,
                                                MapMode mode);

}  // namespace ingot::io
