#include "io/fault_file_system.h"

#include <algorithm>
#include <utility>

#include "io/fault_state.h"
#include "io/os_error.h"

namespace ingot::io {
namespace {

bool transfers(Call call) { return call == Call::kRead || call == Call::kWrite; }

bool counts(const Fault& fault, Call call) {
  return fault.only.empty() || std::ranges::find(fault.only, call) != fault.only.end();
}

}  // namespace

std::string_view call_name(Call call) {
  switch (call) {
    case Call::kOpen:
      return "open";
    case Call::kCreateUnnamed:
      return "create unnamed";
    case Call::kCreateExclusive:
      return "create exclusive";
    case Call::kLink:
      return "link";
    case Call::kRename:
      return "rename";
    case Call::kRemove:
      return "remove";
    case Call::kSyncFolder:
      return "sync folder";
    case Call::kFreeBytes:
      return "free bytes";
    case Call::kList:
      return "list";
    case Call::kRead:
      return "read";
    case Call::kWrite:
      return "write";
    case Call::kAllocate:
      return "allocate";
    case Call::kResize:
      return "resize";
    case Call::kSync:
      return "sync";
    case Call::kStat:
      return "stat";
    case Call::kMap:
      return "map";
    case Call::kPopulate:
      return "populate";
    case Call::kResident:
      return "resident";
    case Call::kAdvise:
      return "advise";
    case Call::kLock:
      return "lock";
    case Call::kClose:
      return "close";
    case Call::kReopenDirect:
      return "reopen direct";
    case Call::kStatName:
      return "stat name";
    case Call::kSetPermissions:
      return "set permissions";
  }
  return "unknown";
}

std::optional<Fault> FaultFileSystem::Impl::enter(Call call, const std::string& path) {
  std::unique_lock lock(mutex);
  const std::uint64_t number = all_calls++;
  std::optional<Fault> hit;
  if (!fault || counts(*fault, call)) {
    const std::uint64_t counted = counted_calls++;
    const bool its_turn =
        fault && (counted == fault->at || (fault->forever && counted > fault->at));
    // Only what transfers bytes can do so short, damaged or not at all.
    if (its_turn && (fault->kind == Fault::Kind::kErrno || transfers(call))) {
      hit = fault;
      fired = true;
    }
  }
  const auto observe = observer;
  lock.unlock();
  if (observe) observe(number, call, path);
  return hit;
}

Status FaultFileSystem::Impl::fail(Call call, const std::string& path) {
  const std::optional<Fault> hit = enter(call, path);
  if (!hit) return {};
  const std::string what = std::string("injected fault: cannot ").append(call_name(call));
  return os_failure(path, what, hit->os_error);
}

FaultFileSystem::FaultFileSystem(FileSystem& base) : impl_(std::make_shared<Impl>(base)) {}
FaultFileSystem::~FaultFileSystem() = default;

void FaultFileSystem::set_fault(const Fault& fault) {
  clear();
  const std::lock_guard lock(impl_->mutex);
  impl_->fault = fault;
}

void FaultFileSystem::clear() {
  const std::lock_guard lock(impl_->mutex);
  impl_->fault.reset();
  impl_->all_calls = 0;
  impl_->counted_calls = 0;
  impl_->fired = false;
}

bool FaultFileSystem::fired() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->fired;
}

std::uint64_t FaultFileSystem::calls() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->counted_calls;
}

void FaultFileSystem::set_observer(
    std::function<void(std::uint64_t, Call, const std::string& path)> observer) {
  const std::lock_guard lock(impl_->mutex);
  impl_->observer = std::move(observer);
}

Result<std::unique_ptr<File>> FaultFileSystem::open(std::string_view path, Access access) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kOpen, std::string(path)));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<File> file, impl_->base.open(path, access));
  return fault::wrap(impl_, std::move(file));
}

Result<std::unique_ptr<File>> FaultFileSystem::create_unnamed(std::string_view folder) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kCreateUnnamed, std::string(folder)));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<File> file, impl_->base.create_unnamed(folder));
  return fault::wrap(impl_, std::move(file));
}

Result<std::unique_ptr<File>> FaultFileSystem::create_exclusive(std::string_view path) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kCreateExclusive, std::string(path)));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<File> file, impl_->base.create_exclusive(path));
  return fault::wrap(impl_, std::move(file));
}

Status FaultFileSystem::link(File& file, std::string_view path) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kLink, std::string(path)));
  return impl_->base.link(fault::unwrap(file), path);
}

Status FaultFileSystem::rename(std::string_view from, std::string_view to) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kRename, std::string(to)));
  return impl_->base.rename(from, to);
}

Status FaultFileSystem::rename_no_replace(std::string_view from, std::string_view to) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kRename, std::string(to)));
  return impl_->base.rename_no_replace(from, to);
}

Status FaultFileSystem::remove(std::string_view path) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kRemove, std::string(path)));
  return impl_->base.remove(path);
}

Status FaultFileSystem::sync_folder(std::string_view folder) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kSyncFolder, std::string(folder)));
  return impl_->base.sync_folder(folder);
}

Result<std::uint64_t> FaultFileSystem::free_bytes(std::string_view folder) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kFreeBytes, std::string(folder)));
  return impl_->base.free_bytes(folder);
}

Result<std::vector<std::string>> FaultFileSystem::list(std::string_view folder) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kList, std::string(folder)));
  return impl_->base.list(folder);
}

Result<FileStat> FaultFileSystem::stat_name(std::string_view path) {
  INGOT_RETURN_IF_ERROR(impl_->fail(Call::kStatName, std::string(path)));
  return impl_->base.stat_name(path);
}

bool FaultFileSystem::exists(std::string_view path) { return impl_->base.exists(path); }

}  // namespace ingot::io
