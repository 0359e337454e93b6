#include "io/mapping_registry.h"

#include <array>
#include <atomic>

namespace ingot::io {
namespace {

// `begin` is kFree, kClaimed while a thread fills the slot, or the mapping's address.
constexpr std::uintptr_t kFree = 0;
constexpr std::uintptr_t kClaimed = 1;

struct Slot {
  std::atomic<std::uintptr_t> begin{kFree};
  std::atomic<std::size_t> bytes{0};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);
static_assert(std::atomic<std::size_t>::is_always_lock_free);

constinit std::array<Slot, kMaxRegisteredMappings> slots{};

}  // namespace

void register_mapping(const void* address, std::size_t bytes) noexcept {
  for (Slot& slot : slots) {
    std::uintptr_t expected = kFree;
    if (slot.begin.load(std::memory_order_relaxed) != kFree ||
        !slot.begin.compare_exchange_strong(expected, kClaimed)) {
      continue;
    }
    slot.bytes.store(bytes);
    slot.begin.store(reinterpret_cast<std::uintptr_t>(address));
    return;
  }
}

void unregister_mapping(const void* address) noexcept {
  for (Slot& slot : slots) {
    auto expected = reinterpret_cast<std::uintptr_t>(address);
    if (slot.begin.load(std::memory_order_relaxed) != expected) continue;
    if (slot.begin.compare_exchange_strong(expected, kFree)) return;
  }
}

bool is_registered_mapping(const void* address) noexcept {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  for (const Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin.load();
    if (begin <= kClaimed || wanted < begin) continue;
    const std::size_t bytes = slot.bytes.load();
    // Again: the slot may have changed hands between the two loads.
    if (wanted - begin < bytes && slot.begin.load() == begin) return true;
  }
  return false;
}

}  // namespace ingot::io
