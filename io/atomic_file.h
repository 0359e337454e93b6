// A file that appears under its name whole or not at all: the commit protocol of docs/design.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ingot/status.h"

#include "io/file_system.h"

namespace ingot::io {

// Only a regular file is ever replaced: a symbolic link, folder, FIFO, socket or device under the
// name is kAlreadyExists, whatever the options. The new file gets the permission bits that the old
// one had at create(); owner and access lists are those of a new file.
//
// Errors, also those of file(), name the final path. O_TMPFILE where there is one, else a locked
// sibling ".NAME.tmp.HEX"; stale siblings whose lock can be taken are removed by create().
// Destroyed without publish(), it leaves nothing behind.
class AtomicFile {
 public:
  struct Options {
    bool replace = true;  // else publish() fails with kAlreadyExists when the name is taken
    bool durable = true;  // fsync of the file, then of the folder
  };

  // Fails early with kAlreadyExists when the name is taken and must not be replaced.
  static Result<AtomicFile> create(FileSystem& file_system, std::string_view path,
                                   const Options& options);
  // What create() and reserve() would say of the name and of the space, for who writes several
  // files and wants to know first.
  static Status check_name(FileSystem& file_system, std::string_view path, const Options& options);
  static Status check_space(FileSystem& file_system, std::string_view path, std::uint64_t bytes);
  AtomicFile(AtomicFile&&) noexcept;
  AtomicFile& operator=(AtomicFile&&) noexcept;
  ~AtomicFile();

  File& file() { return *file_; }
  // Reserves `bytes`. kResourceExhausted "need X, have Y" before anything is written.
  Status reserve(std::uint64_t bytes);
  // fsync, name, fsync of the folder. A failed fsync is never retried: the file is dropped. A
  // failure of the folder's fsync after the name exists is kCommitUncertain. Once.
  Status publish();

 private:
  AtomicFile() = default;
  void drop() noexcept;
  Status create_file();
  Status keep_permissions(const FileStat& old);
  Status give_name();
  Status link_sibling();

  FileSystem* file_system_ = nullptr;
  std::unique_ptr<File> file_;
  std::string path_;            // final name
  std::string temporary_path_;  // empty while the file has no name
  Options options_;
};

}  // namespace ingot::io
