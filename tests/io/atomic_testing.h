// What the tests of AtomicFile share: file systems with and without unnamed files, and one publish.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "io/atomic_file.h"
#include "tests/io/io_testing.h"

namespace ingot::io {

enum class AtomicPlace { kMemoryUnnamed, kMemorySibling, kDiskUnnamed, kDiskSibling };

inline std::string atomic_place_name(AtomicPlace place) {
  switch (place) {
    case AtomicPlace::kMemoryUnnamed:
      return "MemoryUnnamed";
    case AtomicPlace::kMemorySibling:
      return "MemorySibling";
    case AtomicPlace::kDiskUnnamed:
      return "DiskUnnamed";
    case AtomicPlace::kDiskSibling:
      return "DiskSibling";
  }
  return "Unknown";
}

// Forwards; has no unnamed files when told so, like file systems without O_TMPFILE.
class MaybeUnnamed final : public FileSystem {
 public:
  MaybeUnnamed(FileSystem& base, bool unnamed_files) : base_(base), unnamed_(unnamed_files) {}

  Result<std::unique_ptr<File>> open(std::string_view path, Access access) override {
    return base_.open(path, access);
  }
  Result<std::unique_ptr<File>> create_unnamed(std::string_view folder) override {
    if (!unnamed_) return Status(Code::kUnsupported, "no unnamed files");
    return base_.create_unnamed(folder);
  }
  Result<std::unique_ptr<File>> create_exclusive(std::string_view path) override {
    return base_.create_exclusive(path);
  }
  Status link(File& file, std::string_view path) override { return base_.link(file, path); }
  Status rename(std::string_view from, std::string_view to) override {
    return base_.rename(from, to);
  }
  Status rename_no_replace(std::string_view from, std::string_view to) override {
    return base_.rename_no_replace(from, to);
  }
  Status remove(std::string_view path) override { return base_.remove(path); }
  Status sync_folder(std::string_view folder) override { return base_.sync_folder(folder); }
  Result<std::uint64_t> free_bytes(std::string_view folder) override {
    return base_.free_bytes(folder);
  }
  Result<std::vector<std::string>> list(std::string_view folder) override {
    return base_.list(folder);
  }
  bool exists(std::string_view path) override { return base_.exists(path); }
  Result<FileStat> stat_name(std::string_view path) override { return base_.stat_name(path); }

 private:
  FileSystem& base_;
  bool unnamed_;
};

// One file, "model", in a folder of its own; every call may be made to fail.
class AtomicWorld {
 public:
  explicit AtomicWorld(AtomicPlace place)
      : place_(on_disk(place) ? PlaceKind::kDisk : PlaceKind::kMemory),
        base_(place_.files(), unnamed(place)) {
    place_.memory().set_features({.unnamed_files = unnamed(place)});
  }

  static bool on_disk(AtomicPlace place) {
    return place == AtomicPlace::kDiskUnnamed || place == AtomicPlace::kDiskSibling;
  }
  static bool unnamed(AtomicPlace place) {
    return place == AtomicPlace::kMemoryUnnamed || place == AtomicPlace::kDiskUnnamed;
  }

  FaultFileSystem& files() { return *fault_; }
  FileSystem& calm_files() { return place_.files(); }
  MemoryFileSystem& memory() { return place_.memory(); }
  std::string path(std::string_view name = "model") const { return place_.path(name); }

  void put(std::string_view name, Bytes content) {
    auto file = create_file(calm_files(), path(name), content);
    EXPECT_OK(file->sync());
    EXPECT_OK(calm_files().sync_folder(place_.folder()));
  }
  // A symbolic link leads to "target", which need not exist.
  void put_special(std::string_view name, NodeKind kind) {
    if (!place_.is_real()) return memory().put_special(path(name), kind);
    const std::string at = path(name);
    int failed = -1;
    if (kind == NodeKind::kFifo) failed = ::mkfifo(at.c_str(), 0600);
    if (kind == NodeKind::kSymlink) failed = ::symlink("target", at.c_str());
    if (kind == NodeKind::kFolder) failed = ::mkdir(at.c_str(), 0700);
    EXPECT_EQ(failed, 0);
  }
  FileStat stat(std::string_view name = "model") {
    auto stat = calm_files().stat_name(path(name));
    EXPECT_OK(stat);
    return stat.ok() ? *stat : FileStat{};
  }
  void set_permissions(std::uint32_t permissions, std::string_view name = "model") {
    auto file = calm_files().open(path(name), Access::kReadWrite);
    ASSERT_OK(file);
    EXPECT_OK((*file)->set_permissions(permissions));
  }
  std::vector<std::byte> content(std::string_view name = "model") {
    return content_of(calm_files(), path(name));
  }
  std::vector<std::string> names() {
    auto names = calm_files().list(place_.folder());
    EXPECT_OK(names);
    return names.ok() ? *names : std::vector<std::string>();
  }

  Result<AtomicFile> create(const AtomicFile::Options& options = {}) {
    return AtomicFile::create(files(), path(), options);
  }
  Status publish(Bytes content, const AtomicFile::Options& options = {}) {
    INGOT_ASSIGN_OR_RETURN(AtomicFile file, create(options));
    INGOT_RETURN_IF_ERROR(file.reserve(content.size()));
    INGOT_RETURN_IF_ERROR(write_all(file.file(), 0, content));
    return file.publish();
  }
  // Makes the `at`th call of a kind fail.
  void fail(Call call, int os_error = EIO, std::uint64_t at = 0, bool forever = false) {
    Fault fault;
    fault.only = {call};
    fault.os_error = os_error;
    fault.at = at;
    fault.forever = forever;
    files().set_fault(fault);
  }

 private:
  Place place_;
  MaybeUnnamed base_;
  // In memory straight over it: a failing sync must drop its dirty pages.
  std::unique_ptr<FaultFileSystem> fault_ = std::make_unique<FaultFileSystem>(
      place_.is_real() ? static_cast<FileSystem&>(base_) : place_.memory());
};

}  // namespace ingot::io
