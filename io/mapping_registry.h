// Every live mapping, for the SIGBUS guard. Fixed size, lock-free to read: a signal handler does.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ingot::io {

// A mapping beyond the capacity is not registered: the guard then does not cover it.
inline constexpr std::size_t kMaxRegisteredMappings = 1024;

// Called by the implementation of Mapping.
void register_mapping(const void* address, std::size_t bytes) noexcept;
void unregister_mapping(const void* address) noexcept;
// Async-signal-safe.
bool is_registered_mapping(const void* address) noexcept;

}  // namespace ingot::io
