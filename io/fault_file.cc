#include <algorithm>
#include <utility>
#include <vector>

#include "io/fault_state.h"
#include "io/os_error.h"

namespace ingot::io::fault {
namespace {

using State = FaultFileSystem::Impl;

class FaultMapping final : public Mapping {
 public:
  FaultMapping(std::shared_ptr<State> state, std::unique_ptr<Mapping> base, std::string path)
      : state_(std::move(state)), base_(std::move(base)), path_(std::move(path)) {}

  MutableBytes bytes() const override { return base_->bytes(); }
  Status populate(std::uint64_t offset, std::uint64_t length) const override {
    INGOT_RETURN_IF_ERROR(state_->fail(Call::kPopulate, path_));
    return base_->populate(offset, length);
  }
  void release(std::uint64_t offset, std::uint64_t length) const override {
    base_->release(offset, length);
  }
  Result<std::uint64_t> resident(std::uint64_t offset, std::uint64_t length) const override {
    INGOT_RETURN_IF_ERROR(state_->fail(Call::kResident, path_));
    return base_->resident(offset, length);
  }

 private:
  std::shared_ptr<State> state_;
  std::unique_ptr<Mapping> base_;
  std::string path_;
};

class FaultFile final : public File {
 public:
  FaultFile(std::shared_ptr<State> state, std::unique_ptr<File> base)
      : state_(std::move(state)), base_(std::move(base)) {}

  File& base() { return *base_; }
  const std::string& path() const override { return base_->path(); }
  void set_path(std::string path) override { base_->set_path(std::move(path)); }

  Result<std::size_t> read_some(std::uint64_t offset, MutableBytes destination) override {
    const std::optional<Fault> fault = state_->enter(Call::kRead, path());
    if (!fault) return base_->read_some(offset, destination);
    switch (fault->kind) {
      case Fault::Kind::kErrno:
        return error(*fault, "cannot read");
      case Fault::Kind::kZeroProgress:
        return std::size_t{0};
      case Fault::Kind::kShort:
        return base_->read_some(offset, destination.first(part(*fault, destination.size())));
      case Fault::Kind::kBitFlip:
        break;
    }
    Result<std::size_t> done = base_->read_some(offset, destination);
    if (done.ok() && *done > 0) flip(destination.first(*done));
    return done;
  }

  Result<std::size_t> write_some(std::uint64_t offset, Bytes source) override {
    const std::optional<Fault> fault = state_->enter(Call::kWrite, path());
    if (!fault) return base_->write_some(offset, source);
    switch (fault->kind) {
      case Fault::Kind::kErrno:
        return error(*fault, "cannot write");
      case Fault::Kind::kZeroProgress:
        return std::size_t{0};
      case Fault::Kind::kShort:
        return base_->write_some(offset, source.first(part(*fault, source.size())));
      case Fault::Kind::kBitFlip:
        break;
    }
    std::vector<std::byte> damaged(source.begin(), source.end());
    if (!damaged.empty()) flip(damaged);
    return base_->write_some(offset, damaged);
  }

  Status allocate(std::uint64_t bytes) override {
    INGOT_RETURN_IF_ERROR(state_->fail(Call::kAllocate, path()));
    return base_->allocate(bytes);
  }
  Status resize(std::uint64_t bytes) override {
    INGOT_RETURN_IF_ERROR(state_->fail(Call::kResize, path()));
    return base_->resize(bytes);
  }
  Status sync() override {
    Status status = state_->fail(Call::kSync, path());
    if (status.ok()) return base_->sync();
    if (state_->memory != nullptr) state_->memory->drop_dirty_pages(*base_);
    return status;
  }
  Result<FileStat> stat() override {
    INGOT_RETURN_IF_ERROR(state_->fail(Call::kStat, path()));
    return base_->stat();
  }
  Status set_permissions(std::uint32_t permissions) override {
    INGOT_RETURN_IF_ERROR(state_->fail(Call::kSetPermissions, path()));
    return base_->set_permissions(permissions);
  }
  Result<std::unique_ptr<Mapping>> map(std::uint64_t offset, std::uint64_t length,
                                       MapMode mode) override {
    INGOT_RETURN_IF_ERROR(state_->fail(Call::kMap, path()));
    INGOT_ASSIGN_OR_RETURN(std::unique_ptr<Mapping> mapping, base_->map(offset, length, mode));
    return {std::make_unique<FaultMapping>(state_, std::move(mapping), path())};
  }
  Status advise(Advice advice, std::uint64_t offset, std::uint64_t length) override {
    INGOT_RETURN_IF_ERROR(state_->fail(Call::kAdvise, path()));
    return base_->advise(advice, offset, length);
  }
  Status try_lock() override {
    INGOT_RETURN_IF_ERROR(state_->fail(Call::kLock, path()));
    return base_->try_lock();
  }
  Status close() override {
    // A close that fails has closed all the same.
    const Status failed = state_->fail(Call::kClose, path());
    const Status closed = base_->close();
    return failed.ok() ? closed : failed;
  }
  std::string_view remote_file_system() const override { return base_->remote_file_system(); }
  Result<std::unique_ptr<File>> reopen_direct() override {
    INGOT_RETURN_IF_ERROR(state_->fail(Call::kReopenDirect, path()));
    INGOT_ASSIGN_OR_RETURN(std::unique_ptr<File> file, base_->reopen_direct());
    return wrap(state_, std::move(file));
  }
  DirectAlignment direct_alignment() const override { return base_->direct_alignment(); }

 private:
  Status error(const Fault& fault, std::string_view what) const {
    return os_failure(path(), std::string("injected fault: ").append(what), fault.os_error);
  }
  static std::size_t part(const Fault& fault, std::size_t bytes) {
    return std::min<std::uint64_t>(fault.transfer, bytes);
  }
  static void flip(MutableBytes bytes) { bytes[bytes.size() / 2] ^= std::byte{0x10}; }

  std::shared_ptr<State> state_;
  std::unique_ptr<File> base_;
};

}  // namespace

std::unique_ptr<File> wrap(std::shared_ptr<State> state, std::unique_ptr<File> file) {
  return std::make_unique<FaultFile>(std::move(state), std::move(file));
}

File& unwrap(File& file) {
  auto* wrapped = dynamic_cast<FaultFile*>(&file);
  return wrapped == nullptr ? file : wrapped->base();
}

}  // namespace ingot::io::fault
