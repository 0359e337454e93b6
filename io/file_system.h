// Names and folders. See file.h for the rules of this seam.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"

namespace ingot::io {

enum class Access : std::uint8_t { kRead, kReadWrite };

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // kNotFound when there is no such file. Does not create.
  virtual Result<std::unique_ptr<File>> open(std::string_view path, Access access) = 0;
  // A file without a name in `folder` (O_TMPFILE). kUnsupported where there is none, or where
  // link() could not name it.
  virtual Result<std::unique_ptr<File>> create_unnamed(std::string_view folder) = 0;
  // A new file; kAlreadyExists when the name is taken.
  virtual Result<std::unique_ptr<File>> create_exclusive(std::string_view path) = 0;
  // Gives an unnamed file a name; kAlreadyExists when it is taken.
  virtual Status link(File& file, std::string_view path) = 0;
  virtual Status rename(std::string_view from, std::string_view to) = 0;
  // kAlreadyExists when `to` exists. OK when the file stands there, even if the old name stayed.
  virtual Status rename_no_replace(std::string_view from, std::string_view to) = 0;
  virtual Status remove(std::string_view path) = 0;
  virtual Status sync_folder(std::string_view folder) = 0;
  // Bytes that an unprivileged writer may still take on the file system of `folder`. kUnsupported
  // where it does not tell.
  virtual Result<std::uint64_t> free_bytes(std::string_view folder) = 0;
  // Names in a folder, without "." and "..", in no order.
  virtual Result<std::vector<std::string>> list(std::string_view folder) = 0;
  virtual bool exists(std::string_view path) = 0;
  // What stands under a name; a symbolic link itself, not what it leads to. kNotFound when there is
  // nothing.
  virtual Result<FileStat> stat_name(std::string_view path) = 0;
  // Whether queues may use io_uring on this file system's descriptors.
  virtual bool has_descriptors() const { return false; }
};

// The operating system. Stateless, never destroyed.
FileSystem& posix();
inline FileSystem& or_posix(FileSystem* file_system) {
  return file_system != nullptr ? *file_system : posix();
}

// "." for a bare name; never empty.
std::string folder_of(std::string_view path);
std::string_view name_of(std::string_view path);
std::string join(std::string_view folder, std::string_view name);

}  // namespace ingot::io
