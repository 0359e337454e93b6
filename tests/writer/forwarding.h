// A file system that forwards every call to another one: a test overrides the call that it is
// about (leveldb's EnvWrapper).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/file_system.h"

namespace ingot::testing {

class ForwardingFile : public io::File {
 public:
  explicit ForwardingFile(std::unique_ptr<io::File> base) : base_(std::move(base)) {}

  io::File& base() { return *base_; }
  const std::string& path() const override { return base_->path(); }
  void set_path(std::string path) override { base_->set_path(std::move(path)); }
  Result<std::size_t> read_some(std::uint64_t offset, MutableBytes destination) override {
    return base_->read_some(offset, destination);
  }
  Result<std::size_t> write_some(std::uint64_t offset, Bytes source) override {
    return base_->write_some(offset, source);
  }
  Status allocate(std::uint64_t bytes) override { return base_->allocate(bytes); }
  Status resize(std::uint64_t bytes) override { return base_->resize(bytes); }
  Status sync() override { return base_->sync(); }
  Result<io::FileStat> stat() override { return base_->stat(); }
  Status set_permissions(std::uint32_t permissions) override {
    return base_->set_permissions(permissions);
  }
  Result<std::unique_ptr<io::Mapping>> map(std::uint64_t offset, std::uint64_t length,
                                           io::MapMode mode) override {
    return base_->map(offset, length, mode);
  }
  Status advise(io::Advice advice, std::uint64_t offset, std::uint64_t length) override {
    return base_->advise(advice, offset, length);
  }
  Status try_lock() override { return base_->try_lock(); }
  Status close() override { return base_->close(); }
  Result<std::unique_ptr<io::File>> reopen_direct() override { return base_->reopen_direct(); }
  io::DirectAlignment direct_alignment() const override { return base_->direct_alignment(); }

 private:
  std::unique_ptr<io::File> base_;
};

class ForwardingFileSystem : public io::FileSystem {
 public:
  explicit ForwardingFileSystem(io::FileSystem& base) : base_(base) {}

  io::FileSystem& base() { return base_; }
  Result<std::unique_ptr<io::File>> open(std::string_view path, io::Access access) override {
    return wrapped(base_.open(path, access));
  }
  Result<std::unique_ptr<io::File>> create_unnamed(std::string_view folder) override {
    return wrapped(base_.create_unnamed(folder));
  }
  Result<std::unique_ptr<io::File>> create_exclusive(std::string_view path) override {
    return wrapped(base_.create_exclusive(path));
  }
  Status link(io::File& file, std::string_view path) override {
    return base_.link(static_cast<ForwardingFile&>(file).base(), path);
  }
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
  Result<io::FileStat> stat_name(std::string_view path) override { return base_.stat_name(path); }

 protected:
  // The file that is handed out for one of the base's. REQUIRES of overrides: a ForwardingFile.
  virtual std::unique_ptr<ForwardingFile> wrap(std::unique_ptr<io::File> file) {
    return std::make_unique<ForwardingFile>(std::move(file));
  }

 private:
  Result<std::unique_ptr<io::File>> wrapped(Result<std::unique_ptr<io::File>> file) {
    if (!file.ok()) return file.status();
    return {wrap(*std::move(file))};
  }

  io::FileSystem& base_;
};

}  // namespace ingot::testing
