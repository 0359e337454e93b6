// Power cuts: which states a MemoryFileSystem may come back in.
#include <algorithm>
#include <utility>

#include "io/memory_state.h"

namespace ingot::io {
namespace {

using memory::Inode;
using memory::InodePtr;
using memory::NameChange;
using memory::Names;
using Event = MemoryFileSystem::CrashEvent;
using Fate = MemoryFileSystem::Fate;
using FateOf = std::function<Fate(const Event&)>;

// An inode that a name may lead to after the crash, and what it is then.
struct Survivor {
  InodePtr before;
  InodePtr after;
};

// In the order of the inodes' numbers.
std::vector<Survivor> possible_survivors(const MemoryFileSystem::Impl& state) {
  std::vector<Survivor> survivors;
  for (const auto& [name, inode] : state.durable_names) survivors.push_back({inode, nullptr});
  for (const NameChange& change : state.pending) {
    if (change.inode != nullptr) survivors.push_back({change.inode, nullptr});
  }
  const auto number = [](const Survivor& survivor) { return survivor.before->number; };
  std::ranges::sort(survivors, {}, number);
  // Not std::ranges::unique: clang 14 cannot make its subrange of libstdc++'s.
  const auto repeated =
      std::unique(survivors.begin(), survivors.end(),
                  [&](const Survivor& a, const Survivor& b) { return number(a) == number(b); });
  survivors.erase(repeated, survivors.end());
  return survivors;
}

InodePtr after_crash(const Inode& inode, const FateOf& fate, std::uint64_t tear) {
  auto after = std::make_shared<Inode>();
  after->number = inode.number;
  after->name = inode.name;
  after->modified_ns = inode.modified_ns;
  after->permissions = inode.permissions;
  after->kind = inode.kind;
  after->now = inode.durable;
  Event event{Event::Kind::kPage, inode.name, 0};
  for (const std::uint64_t page : inode.dirty) {
    event.page = page;
    after->now.set_page(page, memory::surviving_page(inode.durable.page(page), inode.now.page(page),
                                                     fate(event), tear));
  }
  std::uint64_t length = inode.durable.length();
  if (inode.length_is_dirty()) {
    event.kind = Event::Kind::kLength;
    event.page = 0;
    length = memory::surviving_length(length, inode.now.length(), fate(event));
  }
  after->now.set_length(length);
  after->durable = after->now;
  return after;
}

InodePtr look_up(const std::vector<Survivor>& survivors, const InodePtr& before) {
  if (before == nullptr) return nullptr;
  for (const Survivor& survivor : survivors) {
    if (survivor.before == before) return survivor.after;
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::crash(const FateOf& fate) const {
  auto result = std::make_unique<MemoryFileSystem>();
  Impl& after = *result->impl_;
  const std::lock_guard lock(impl_->mutex);
  after.features = impl_->features;
  after.capacity = impl_->capacity;
  after.tear = impl_->tear;
  after.last_inode = impl_->last_inode;
  after.clock_ns = impl_->clock_ns;

  std::vector<Survivor> survivors = possible_survivors(*impl_);
  for (Survivor& survivor : survivors) {
    survivor.after = after_crash(*survivor.before, fate, impl_->tear);
  }
  for (const auto& [name, inode] : impl_->durable_names) {
    after.names.emplace_hint(after.names.end(), name, look_up(survivors, inode));
  }
  for (const NameChange& change : impl_->pending) {
    if (fate({Event::Kind::kName, change.name, 0}) == Fate::kLost) continue;
    NameChange{change.name, change.from, look_up(survivors, change.inode)}.apply(after.names);
  }
  for (const auto& [name, inode] : after.names) {
    ++inode->links;
    inode->name = name;
    after.inodes.push_back(inode);
  }
  after.durable_names = after.names;
  return result;
}

std::vector<MemoryFileSystem::CrashEvent> MemoryFileSystem::pending_events() const {
  std::vector<CrashEvent> events;
  static_cast<void>(crash([&](const CrashEvent& event) {
    events.push_back(event);
    return Fate::kLost;
  }));
  return events;
}

void MemoryFileSystem::set_tear(std::uint64_t sector) {
  const std::lock_guard lock(impl_->mutex);
  impl_->tear = std::clamp<std::uint64_t>(sector, 1, kPage / memory::kSector - 1);
}

}  // namespace ingot::io
