// What the tests of io share: bytes to write, whole-file helpers, places where files can be.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/fault_file_system.h"
#include "io/file_system.h"
#include "io/memory_file_system.h"
#include "io/transfer.h"
#include "tests/support/status_matchers.h"

namespace ingot::io {

// Bytes that differ from their neighbours and between seeds.
inline std::vector<std::byte> pattern(std::size_t bytes, unsigned seed = 1) {
  std::vector<std::byte> result(bytes);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  for (std::byte& byte : result) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::byte>(state >> 56);
  }
  return result;
}

inline std::unique_ptr<File> create_file(FileSystem& files, std::string_view path, Bytes content) {
  auto file = files.create_exclusive(path);
  EXPECT_OK(file);
  if (!file.ok()) return nullptr;
  EXPECT_OK(write_all(**file, 0, content));
  return *std::move(file);
}

// Empty when there is no such file.
inline std::vector<std::byte> content_of(FileSystem& files, std::string_view path) {
  auto file = files.open(path, Access::kRead);
  if (!file.ok()) return {};
  auto stat = (*file)->stat();
  EXPECT_OK(stat);
  std::vector<std::byte> bytes(stat.ok() ? stat->bytes : 0);
  EXPECT_OK(read_exact(**file, 0, bytes));
  return bytes;
}

enum class PlaceKind { kDisk, kSharedMemory, kMemory, kFaultOverMemory };

// A file system and a folder in it.
class Place {
 public:
  explicit Place(PlaceKind kind) : kind_(kind) {
    if (kind == PlaceKind::kDisk) make_folder(std::filesystem::temp_directory_path());
    if (kind == PlaceKind::kSharedMemory && ::access("/dev/shm", W_OK) == 0) {
      make_folder("/dev/shm");
    }
    memory_.set_features({.direct = true});
  }
  ~Place() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  bool available() const { return !is_real() || !folder_.empty(); }
  bool is_real() const { return kind_ == PlaceKind::kDisk || kind_ == PlaceKind::kSharedMemory; }
  FileSystem& files() {
    if (is_real()) return posix();
    if (kind_ == PlaceKind::kMemory) return memory_;
    return fault_;
  }
  MemoryFileSystem& memory() { return memory_; }
  FaultFileSystem& fault() { return fault_; }
  std::string folder() const { return is_real() ? folder_ : "folder"; }
  std::string path(std::string_view name) const { return join(folder(), name); }

 private:
  void make_folder(const std::filesystem::path& parent) {
    std::string name = (parent / "ingot-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) folder_ = name;
  }

  PlaceKind kind_;
  std::string folder_;
  MemoryFileSystem memory_;
  FaultFileSystem fault_{memory_};
};

inline std::string place_name(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::kDisk:
      return "Disk";
    case PlaceKind::kSharedMemory:
      return "SharedMemory";
    case PlaceKind::kMemory:
      return "Memory";
    case PlaceKind::kFaultOverMemory:
      return "FaultOverMemory";
  }
  return "Unknown";
}

}  // namespace ingot::io
