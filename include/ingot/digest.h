// 128-bit digests: XXH3-128, seed 0 (xxHash 0.8 specification, doc/xxhash_spec.md).
//
// XXH3 proves against accident, not against an attacker: whoever changes the data can compute a new
// digest. Signing needs the SHA-256 root (writer.h, docs/security.md).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ingot {

struct Digest128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  friend bool operator==(const Digest128&, const Digest128&) = default;
  friend auto operator<=>(const Digest128&, const Digest128&) = default;
};

// 32 hexadecimal digits, the high half first: what `xxh128sum` prints.
std::string to_string(const Digest128& digest);

// The digest that Ingot stores for these bytes. Never fails; uses the widest vector unit present.
Digest128 digest_of(std::span<const std::byte> bytes);

using Sha256 = std::array<std::uint8_t, 32>;
std::string to_string(const Sha256& digest);

}  // namespace ingot
