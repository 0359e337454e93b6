#include "io/memory_file_system.h"

#include <cerrno>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "io/memory_state.h"
#include "io/os_error.h"

namespace ingot::io {

using memory::InodePtr;
using memory::key_of;
using memory::NameChange;

namespace memory {

void NameChange::apply(Names& names) const {
  if (!from.empty()) names.erase(from);
  if (inode == nullptr) {
    names.erase(name);
  } else {
    names[name] = inode;
  }
}

std::string key_of(std::string_view path) { return join(folder_of(path), name_of(path)); }

}  // namespace memory

InodePtr MemoryFileSystem::Impl::make_inode(std::string name) {
  auto inode = std::make_shared<memory::Inode>();
  inode->number = ++last_inode;
  inode->name = std::move(name);
  inode->modified_ns = tick();
  std::erase_if(inodes, [](const auto& weak) { return weak.expired(); });
  inodes.push_back(inode);
  return inode;
}

InodePtr MemoryFileSystem::Impl::find(std::string_view path) const {
  const auto found = names.find(key_of(path));
  return found == names.end() ? nullptr : found->second;
}

void MemoryFileSystem::Impl::change(NameChange change) {
  const InodePtr replaced = find(change.name);
  if (change.inode != nullptr) {
    if (change.from.empty()) ++change.inode->links;
    change.inode->name = change.name;
  }
  if (replaced != nullptr) --replaced->links;
  change.apply(names);
  pending.push_back(std::move(change));
}

std::uint64_t MemoryFileSystem::Impl::free_pages() const {
  std::uint64_t used = 0;
  for (const auto& weak : inodes) {
    if (const InodePtr inode = weak.lock()) used += inode->charged_pages();
  }
  const std::uint64_t all = capacity / kPage;
  return used < all ? all - used : 0;
}

MemoryFileSystem::MemoryFileSystem() : impl_(std::make_shared<Impl>()) {}
MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<File>> MemoryFileSystem::open(std::string_view path, Access access) {
  const std::lock_guard lock(impl_->mutex);
  InodePtr inode = impl_->find(path);
  if (inode == nullptr) return os_failure(path, "cannot open", ENOENT);
  return memory::make_file(impl_, std::move(inode), std::string(path), access);
}

Result<std::unique_ptr<File>> MemoryFileSystem::create_unnamed(std::string_view folder) {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->features.unnamed_files) return os_failure(folder, "cannot create", EOPNOTSUPP);
  std::string path = join(folder, "(unnamed file)");
  InodePtr inode = impl_->make_inode(path);
  return memory::make_file(impl_, std::move(inode), std::move(path), Access::kReadWrite);
}

Result<std::unique_ptr<File>> MemoryFileSystem::create_exclusive(std::string_view path) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->find(path) != nullptr) return os_failure(path, "cannot create", EEXIST);
  InodePtr inode = impl_->make_inode(key_of(path));
  impl_->change({key_of(path), {}, inode});
  return memory::make_file(impl_, std::move(inode), std::string(path), Access::kReadWrite);
}

Status MemoryFileSystem::link(File& file, std::string_view path) {
  InodePtr inode = memory::inode_of(file);
  if (inode == nullptr) return os_failure(path, "cannot link a foreign file", EXDEV);
  const std::lock_guard lock(impl_->mutex);
  if (impl_->find(path) != nullptr) return os_failure(path, "cannot link", EEXIST);
  impl_->change({key_of(path), {}, std::move(inode)});
  return {};
}

Status MemoryFileSystem::Impl::rename(std::string_view from, std::string_view to, bool replace) {
  InodePtr inode = find(from);
  if (inode == nullptr) return os_failure(from, "cannot rename", ENOENT);
  const InodePtr replaced = find(to);
  if (replaced != nullptr && !replace) return os_failure(to, "cannot rename", EEXIST);
  if (inode == replaced) return {};  // as POSIX says
  change({key_of(to), key_of(from), std::move(inode)});
  return {};
}

Status MemoryFileSystem::rename(std::string_view from, std::string_view to) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->rename(from, to, true);
}

Status MemoryFileSystem::rename_no_replace(std::string_view from, std::string_view to) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->rename(from, to, false);
}

Status MemoryFileSystem::remove(std::string_view path) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->find(path) == nullptr) return os_failure(path, "cannot remove", ENOENT);
  impl_->change({key_of(path), {}, nullptr});
  return {};
}

Status MemoryFileSystem::sync_folder(std::string_view folder) {
  const std::lock_guard lock(impl_->mutex);
  const std::string wanted = folder_of(join(folder, "name"));
  std::erase_if(impl_->pending, [&](const NameChange& change) {
    if (folder_of(change.name) != wanted) return false;
    change.apply(impl_->durable_names);
    return true;
  });
  return {};
}

Result<std::uint64_t> MemoryFileSystem::free_bytes(std::string_view) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->free_pages() * kPage;
}

Result<std::vector<std::string>> MemoryFileSystem::list(std::string_view folder) {
  const std::lock_guard lock(impl_->mutex);
  const std::string wanted = folder_of(join(folder, "name"));
  std::vector<std::string> result;
  for (const auto& [name, inode] : impl_->names) {
    if (folder_of(name) == wanted) result.emplace_back(name_of(name));
  }
  return result;
}

bool MemoryFileSystem::exists(std::string_view path) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->find(path) != nullptr;
}

Result<FileStat> MemoryFileSystem::stat_name(std::string_view path) {
  const std::lock_guard lock(impl_->mutex);
  const InodePtr inode = impl_->find(path);
  if (inode == nullptr) return os_failure(path, "cannot look at it", ENOENT);
  return inode->stat();
}

void MemoryFileSystem::set_features(const Features& features) {
  const std::lock_guard lock(impl_->mutex);
  impl_->features = features;
}

void MemoryFileSystem::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(impl_->mutex);
  impl_->capacity = bytes;
}

std::vector<std::byte> MemoryFileSystem::content(std::string_view path) const {
  const std::lock_guard lock(impl_->mutex);
  const InodePtr inode = impl_->find(path);
  if (inode == nullptr) return {};
  std::vector<std::byte> bytes(inode->now.length());
  inode->now.read(0, bytes);
  return bytes;
}

void MemoryFileSystem::put(std::string_view path, Bytes content) {
  const std::lock_guard lock(impl_->mutex);
  const std::string key = key_of(path);
  InodePtr inode = impl_->make_inode(key);
  inode->write(0, content);
  inode->sync();
  impl_->change({key, {}, inode});
  std::erase_if(impl_->pending, [&](const NameChange& change) { return change.name == key; });
  impl_->durable_names[key] = std::move(inode);
}

void MemoryFileSystem::put_special(std::string_view path, NodeKind kind) {
  put(path, {});
  const std::lock_guard lock(impl_->mutex);
  impl_->find(path)->kind = kind;
}

std::vector<std::string> MemoryFileSystem::names() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<std::string> result;
  for (const auto& [name, inode] : impl_->names) result.push_back(name);
  return result;
}

void MemoryFileSystem::drop_dirty_pages(std::string_view path) {
  const std::lock_guard lock(impl_->mutex);
  if (const InodePtr inode = impl_->find(path)) inode->drop_dirty_pages();
}

void MemoryFileSystem::drop_dirty_pages(File& file) {
  const InodePtr inode = memory::inode_of(file);
  const std::lock_guard lock(impl_->mutex);
  if (inode != nullptr) inode->drop_dirty_pages();
}

}  // namespace ingot::io
