// One read-only file whose bytes are a buffer of the test's own: nothing is copied, so that a test
// may change a byte, open the file and look, half a million times. No mapping. One range may be
// bad: reading it fails, as a medium's unreadable sector does.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace ingot::testing {

// Does not own `bytes`. Any name opens it.
class ByteFileSystem : public io::FileSystem {
 public:
  explicit ByteFileSystem(std::span<const std::byte> bytes) : bytes_(bytes) {}
  // Files opened from now on can be mapped, too: the mapping is the bytes themselves.
  void let_map() { mappable_ = true; }
  // For files opened before and after.
  void set_bad(std::uint64_t begin, std::uint64_t end) {
    bad_->begin = begin;
    bad_->end = end;
  }

  Result<std::unique_ptr<io::File>> open(std::string_view path, io::Access) override {
    return {std::make_unique<ByteFile>(bytes_, bad_, mappable_, std::string(path))};
  }
  Result<std::unique_ptr<io::File>> create_unnamed(std::string_view) override { return no(); }
  Result<std::unique_ptr<io::File>> create_exclusive(std::string_view) override { return no(); }
  Status link(io::File&, std::string_view) override { return no(); }
  Status rename(std::string_view, std::string_view) override { return no(); }
  Status rename_no_replace(std::string_view, std::string_view) override { return no(); }
  Status remove(std::string_view) override { return no(); }
  Status sync_folder(std::string_view) override { return no(); }
  Result<std::uint64_t> free_bytes(std::string_view) override { return no(); }
  Result<std::vector<std::string>> list(std::string_view) override { return no(); }
  bool exists(std::string_view) override { return true; }
  Result<io::FileStat> stat_name(std::string_view) override { return no(); }

 private:
  static Status no() { return {Code::kUnsupported, "read only"}; }

  struct Bad {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  class ByteMapping : public io::Mapping {
   public:
    explicit ByteMapping(std::span<const std::byte> bytes) : bytes_(bytes) {}
    // Nobody writes to a read-only mapping.
    MutableBytes bytes() const override {
      return {const_cast<std::byte*>(bytes_.data()), bytes_.size()};
    }
    Status populate(std::uint64_t, std::uint64_t) const override { return {}; }
    void release(std::uint64_t, std::uint64_t) const override {}
    Result<std::uint64_t> resident(std::uint64_t, std::uint64_t length) const override {
      return length;
    }

   private:
    std::span<const std::byte> bytes_;
  };

  class ByteFile : public io::File {
   public:
    ByteFile(std::span<const std::byte> bytes, std::shared_ptr<const Bad> bad, bool mappable,
             std::string path)
        : bytes_(bytes), bad_(std::move(bad)), mappable_(mappable), path_(std::move(path)) {}
    const std::string& path() const override { return path_; }
    void set_path(std::string path) override { path_ = std::move(path); }
    Result<std::size_t> read_some(std::uint64_t offset, MutableBytes destination) override {
      if (offset >= bytes_.size()) return std::size_t{0};
      std::size_t n = std::min<std::size_t>(destination.size(), bytes_.size() - offset);
      if (offset < bad_->end && offset + n > bad_->begin) {
        if (offset >= bad_->begin) return Status(Code::kIoError, "bad sector", {}, EIO);
        n = bad_->begin - offset;
      }
      std::memcpy(destination.data(), bytes_.data() + offset, n);
      return n;
    }
    Result<std::size_t> write_some(std::uint64_t, Bytes) override { return no(); }
    Status allocate(std::uint64_t) override { return no(); }
    Status resize(std::uint64_t) override { return no(); }
    Status sync() override { return no(); }
    Result<io::FileStat> stat() override {
      io::FileStat stat;
      stat.bytes = bytes_.size();
      stat.allocated_bytes = stat.bytes;
      return stat;
    }
    Status set_permissions(std::uint32_t) override { return no(); }
    Result<std::unique_ptr<io::Mapping>> map(std::uint64_t offset, std::uint64_t length,
                                             io::MapMode mode) override {
      if (!mappable_ || mode != io::MapMode::kReadOnly) return no();
      return {std::make_unique<ByteMapping>(bytes_.subspan(offset, length))};
    }
    Status advise(io::Advice, std::uint64_t, std::uint64_t) override { return {}; }
    Status try_lock() override { return no(); }
    Status close() override { return {}; }
    Result<std::unique_ptr<io::File>> reopen_direct() override { return no(); }

   private:
    std::span<const std::byte> bytes_;
    std::shared_ptr<const Bad> bad_;
    bool mappable_;
    std::string path_;
  };

  std::span<const std::byte> bytes_;
  std::shared_ptr<Bad> bad_ = std::make_shared<Bad>();
  bool mappable_ = false;
};

}  // namespace ingot::testing
