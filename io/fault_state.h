// Which call goes wrong, and how. Shared by a FaultFileSystem and its files; private to the double.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "io/fault_file_system.h"
#include "io/memory_file_system.h"

namespace ingot::io {

struct FaultFileSystem::Impl {
  // The library's own file system is built without the type information that the cast reads.
  explicit Impl(FileSystem& base_file_system)
      : base(base_file_system),
        memory(&base_file_system == &posix() ? nullptr
                                             : dynamic_cast<MemoryFileSystem*>(&base_file_system)) {
  }

  // Counts the call; the fault that it must suffer, if any.
  std::optional<Fault> enter(Call call, const std::string& path);
  // The error that the call must fail with; OK when it may go on.
  Status fail(Call call, const std::string& path);

  FileSystem& base;
  MemoryFileSystem* const memory;  // of `base`, when it is one

  mutable std::mutex mutex;  // guards what follows
  std::optional<Fault> fault;
  std::uint64_t all_calls = 0;
  std::uint64_t counted_calls = 0;
  bool fired = false;
  std::function<void(std::uint64_t, Call, const std::string&)> observer;
};

namespace fault {

std::unique_ptr<File> wrap(std::shared_ptr<FaultFileSystem::Impl> state,
                           std::unique_ptr<File> file);
// The file that wrap() took; the file itself when it is another.
File& unwrap(File& file);

}  // namespace fault
}  // namespace ingot::io
