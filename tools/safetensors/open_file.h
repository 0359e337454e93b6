// Opening files whose names or contents are not to be trusted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ingot/status.h"

#include "io/file_system.h"
#include "tools/safetensors/header.h"

namespace ingot::safetensors {

enum class Symlinks : std::uint8_t {
  kFollow,  // the user's own path
  kRefuse,  // a name that came from a file
};

struct OpenedFile {
  std::string path;
  std::unique_ptr<io::File> file;
  io::FileStat stat;
};

// Opens a regular file for reading: no folder, FIFO or device, and with kRefuse nothing that the
// last component of `path` merely points to. kNotFound, kIoError, kRejected (a symlink),
// kInvalidArgument (not a regular file).
Result<OpenedFile> open_regular(io::FileSystem& file_system, const std::string& path,
                                Symlinks symlinks);

// Whether length and time of modification are as they were when it was opened.
Status check_unchanged(const OpenedFile& opened);

// Reads and parses the header.
Result<Header> read_header(const OpenedFile& opened);

}  // namespace ingot::safetensors
