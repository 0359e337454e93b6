// A file system in memory that knows which writes would survive a power cut (after RocksDB's
// db_crashtest and ALICE, OSDI'14): inodes with durable and dirty pages, names with durable and
// pending changes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace ingot::io {

// Thread-safe. Files opened from it share its state and may outlive it.
class MemoryFileSystem : public FileSystem {
 public:
  static constexpr std::uint64_t kPage = 4096;

  MemoryFileSystem();
  ~MemoryFileSystem() override;

  Result<std::unique_ptr<File>> open(std::string_view path, Access access) override;
  Result<std::unique_ptr<File>> create_unnamed(std::string_view folder) override;
  Result<std::unique_ptr<File>> create_exclusive(std::string_view path) override;
  Status link(File& file, std::string_view path) override;
  Status rename(std::string_view from, std::string_view to) override;
  Status rename_no_replace(std::string_view from, std::string_view to) override;
  Status remove(std::string_view path) override;
  Status sync_folder(std::string_view folder) override;
  Result<std::uint64_t> free_bytes(std::string_view folder) override;
  Result<std::vector<std::string>> list(std::string_view folder) override;
  bool exists(std::string_view path) override;
  Result<FileStat> stat_name(std::string_view path) override;

  // What this file system lacks, to test the fall-backs.
  struct Features {
    bool unnamed_files = true;
    bool allocate = true;
    bool direct = false;
    bool map = true;
    bool cold = false;             // what is mapped is not in memory, whatever was read
    std::string_view remote = {};  // File::remote_file_system()
  };
  void set_features(const Features& features);
  void set_capacity(
      std::uint64_t bytes);  // free_bytes() and the point where writes fail with ENOSPC

  // The content of a name now; empty when there is none. For tests.
  std::vector<std::byte> content(std::string_view path) const;
  void put(std::string_view path, Bytes content);  // durable at once
  // Something that is no regular file, empty and durable at once. open() opens it all the same.
  void put_special(std::string_view path, NodeKind kind);
  std::vector<std::string> names() const;

  // A crash. Every page that was written since its file's last sync, and every name that changed
  // since its folder's last sync, is an event that `survives` decides: called once an event, in
  // order.
  struct CrashEvent {
    enum class Kind : std::uint8_t { kPage, kLength, kName } kind;
    std::string name;        // of the file as far as known, or the name that changed
    std::uint64_t page = 0;  // kPage
  };
  enum class Fate : std::uint8_t {
    kLost,
    kKept,
    kTornHead,
    kTornTail
  };  // torn: at a 512-byte sector
  // The state after a power cut, as a new file system; this one goes on unchanged. `fate` must not
  // call back into it. Of a torn page, the head is what lies before the sector of set_tear(); a
  // torn length comes half of the way (head) or all but the last sector of it (tail); a torn name
  // is kept.
  std::unique_ptr<MemoryFileSystem> crash(const std::function<Fate(const CrashEvent&)>& fate) const;
  std::vector<CrashEvent> pending_events() const;
  void set_tear(std::uint64_t sector);  // 1 to 7; 4 unless set

  // What happens to dirty pages when a sync is made to fail (by FaultFileSystem): Linux since 4.13
  // marks them clean, so that a second sync "succeeds" over lost data.
  void drop_dirty_pages(std::string_view path);
  void drop_dirty_pages(File& file);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace ingot::io
