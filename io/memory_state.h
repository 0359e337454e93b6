// The state of a MemoryFileSystem, shared with its files. Private to the double.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "io/memory_file_system.h"
#include "io/memory_inode.h"

namespace ingot::io {

namespace memory {

using InodePtr = std::shared_ptr<Inode>;
using Names = std::map<std::string, InodePtr, std::less<>>;

// Not yet on stable storage. A rename takes `from` away in the same step.
struct NameChange {
  std::string name;
  std::string from;
  InodePtr inode;  // null: removed

  void apply(Names& names) const;
};

// "./model" and "model" are one name.
std::string key_of(std::string_view path);

}  // namespace memory

struct MemoryFileSystem::Impl {
  mutable std::mutex mutex;  // guards what follows, and all inodes
  Features features;
  std::uint64_t capacity = std::uint64_t{1} << 50;
  std::uint64_t tear = 4;
  std::uint64_t last_inode = 0;
  std::int64_t clock_ns = 0;
  memory::Names names;
  memory::Names durable_names;
  std::vector<memory::NameChange> pending;
  std::vector<std::weak_ptr<memory::Inode>> inodes;  // for the space that they take

  memory::InodePtr make_inode(std::string name);
  memory::InodePtr find(std::string_view path) const;
  // Makes the change now; durable later.
  void change(memory::NameChange change);
  Status rename(std::string_view from, std::string_view to, bool replace);
  std::uint64_t free_pages() const;
  std::int64_t tick() { return clock_ns += 1'000'000; }
};

namespace memory {

std::unique_ptr<File> make_file(std::shared_ptr<MemoryFileSystem::Impl> file_system, InodePtr inode,
                                std::string path, Access access);
// The inode of a file that make_file() made; null for others.
InodePtr inode_of(File& file);

}  // namespace memory
}  // namespace ingot::io
