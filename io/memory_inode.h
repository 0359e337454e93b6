// A file of MemoryFileSystem: its bytes now and its bytes on stable storage. Private to the double.
//
// Pages are shared between copies and copied when written, so that a copy of a whole file system
// costs pointers, not bytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "io/memory_file_system.h"

namespace ingot::io::memory {

inline constexpr std::uint64_t kPage = MemoryFileSystem::kPage;
inline constexpr std::uint64_t kSector = 512;
using Fate = MemoryFileSystem::Fate;

using PageBytes = std::array<std::byte, kPage>;
using Page = std::shared_ptr<PageBytes>;  // null: zeros

class Content {
 public:
  std::uint64_t length() const { return length_; }
  Page page(std::uint64_t number) const { return has_page(number) ? pages_[number] : nullptr; }
  bool has_page(std::uint64_t number) const {
    return number < pages_.size() && pages_[number] != nullptr;
  }
  std::uint64_t page_slots() const { return pages_.size(); }

  void set_page(std::uint64_t number, Page page);
  // Writes within one page, whatever the length.
  void write_page(std::uint64_t number, std::uint64_t begin, Bytes bytes);
  // Bytes beyond a shorter length are gone: they read as zeros when the length grows again.
  void set_length(std::uint64_t length);
  // Zeros beyond the length.
  void read(std::uint64_t offset, MutableBytes destination) const;

 private:
  PageBytes& unshared_page(std::uint64_t number);

  std::uint64_t length_ = 0;
  std::vector<Page> pages_;  // zeros beyond its end
};

// Guarded by the file system's mutex.
struct Inode {
  std::uint64_t number = 0;
  std::string name;  // the last that it was known by
  Content now;
  Content durable;
  std::set<std::uint64_t> dirty;     // pages written since the last sync
  std::uint64_t reserved_pages = 0;  // from the start, by allocate()
  std::uint64_t links = 0;
  std::int64_t modified_ns = 0;
  std::uint32_t permissions = 0644;
  NodeKind kind = NodeKind::kRegular;
  const void* lock_owner = nullptr;

  FileStat stat() const;
  bool length_is_dirty() const { return now.length() != durable.length(); }
  bool is_charged(std::uint64_t page) const { return page < reserved_pages || now.has_page(page); }
  std::uint64_t charged_pages() const;

  void write(std::uint64_t offset, Bytes bytes);
  void resize(std::uint64_t length);
  void sync();
  void drop_dirty_pages();
};

// What is left of a dirty page, or of a changed length, after a crash. A torn page changes over at
// sector `tear`.
Page surviving_page(const Page& old_page, const Page& new_page, Fate fate, std::uint64_t tear);
std::uint64_t surviving_length(std::uint64_t old_length, std::uint64_t new_length, Fate fate);

}  // namespace ingot::io::memory
