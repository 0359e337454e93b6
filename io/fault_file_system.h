// Forwards to another file system and makes the Nth call go wrong: fail with an errno, transfer
// short, flip a bit. SQLite's I/O error loop runs on it: fail call N for N = 0, 1, … until nothing
// fails.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace ingot::io {

enum class Call : std::uint8_t {
  kOpen,
  kCreateUnnamed,
  kCreateExclusive,
  kLink,
  kRename,
  kRemove,
  kSyncFolder,
  kFreeBytes,
  kList,
  kRead,
  kWrite,
  kAllocate,
  kResize,
  kSync,
  kStat,
  kMap,
  kPopulate,
  kResident,
  kAdvise,
  kLock,
  kClose,
  kReopenDirect,
  kStatName,
  kSetPermissions,
};
inline constexpr Call kLastCall = Call::kSetPermissions;
std::string_view call_name(Call call);

struct Fault {
  enum class Kind : std::uint8_t { kErrno, kShort, kBitFlip, kZeroProgress };
  Kind kind = Kind::kErrno;
  int os_error = 5;            // EIO
  std::uint64_t at = 0;        // number of the call, from 0, counted over all calls
  bool forever = false;        // this call and every later one (of the same kinds)
  std::uint64_t transfer = 1;  // kShort: bytes that get through
  std::vector<Call> only;      // count and fail only these; empty: all
};

// Thread-safe. Does not own `base`, which must outlive it and its files.
class FaultFileSystem : public FileSystem {
 public:
  explicit FaultFileSystem(FileSystem& base);
  ~FaultFileSystem() override;

  void set_fault(const Fault& fault);  // resets the count
  void clear();
  bool fired() const;
  std::uint64_t calls() const;  // counted since set_fault() or clear()
  // Called before every call, with its number and kind; from the calling thread.
  void set_observer(std::function<void(std::uint64_t, Call, const std::string& path)> observer);

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

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace ingot::io
