// The pages of this process's memory. Private to io.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace ingot::io {

// Of the system: 4096 on x86-64, up to 65536 elsewhere.
std::uint64_t page_bytes();

// Bytes of the pages of [begin, begin + bytes) that are in memory; of a mapped file, in the page
// cache (mincore(2)). The last page counts as a whole. nullopt, and errno, when the kernel does not
// say. REQUIRES: `begin` is the begin of a page.
std::optional<std::uint64_t> resident_bytes(std::byte* begin, std::uint64_t bytes);

}  // namespace ingot::io
