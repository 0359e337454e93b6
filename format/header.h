// The header page: fixed fields at fixed offsets (docs/format.md, "Header").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ingot/digest.h"
#include "ingot/status.h"

#include "base/bytes.h"
#include "format/constants.h"

namespace ingot::format {

struct Header {
  std::uint16_t major = kMajor;
  std::uint16_t minor = kMinor;
  std::uint64_t required_features = 0;
  std::uint64_t optional_features = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t data_end = 0;
  std::uint64_t digests_offset = 0;
  std::uint64_t digests_bytes = 0;
  Digest128 digests_digest;
  std::uint64_t index_offset = 0;
  std::uint64_t index_bytes = 0;
  Digest128 index_digest;
  std::uint32_t chunk_log2 = 20;
  std::uint32_t alignment_log2 = 12;
  std::array<std::uint8_t, 16> uuid{};
  std::array<std::uint8_t, 16> save_id{};
  Digest128 root;
  Sha256 root_sha256{};

  bool has_sha256() const { return (optional_features & kOptionalSha256) != 0; }
  std::uint64_t chunk_bytes() const { return std::uint64_t{1} << chunk_log2; }
  std::uint64_t alignment() const { return std::uint64_t{1} << alignment_log2; }
  // Digests in the table.
  std::uint64_t chunk_count() const {
    return digests_bytes / (has_sha256() ? kDigestBytes + kSha256Bytes : kDigestBytes);
  }
  std::uint64_t second_header_offset() const { return file_bytes - kPageBytes; }

  friend bool operator==(const Header&, const Header&) = default;
};

using HeaderPage = std::array<std::byte, kPageBytes>;

// Writes every field, computes root (over all fields before it) and the page's own digest. Sets
// header.root. uuid and save_id are taken as they are: see derive_uuid() and derive_save_id().
HeaderPage encode_header(Header& header);

// uuid (RFC 9562 version 8) and save id that follow from the content: from all fields before them.
std::array<std::uint8_t, 16> derive_uuid(const Header& header);
std::array<std::uint8_t, 16> derive_save_id(const Header& header);

// SHA-256(header bytes [0, 160) | SHA-256(index) | SHA-256(SHA-256 column)): what a signature
// covers.
Sha256 compute_root_sha256(const Header& header, const Sha256& index, const Sha256& column);

// Whether a page begins with the magic.
bool has_magic(Bytes page);

// Decodes a page of exactly kPageBytes. Order of the checks: magic (kCorrupt: "not an Ingot file"),
// digest (kCorrupt), major version (kUnsupported), required features (kUnsupported, naming the
// bits), then every field against the others (kRejected). `path` and `region` are for messages.
// Says nothing of the file's real length: the caller compares it with file_bytes.
Result<Header> decode_header(Bytes page, std::string_view path, Region region);

// For messages: the digest that a page says it has and the one that its bytes have; bytes as
// "89494e47", as one shows a magic. REQUIRES: a whole page.
struct PageDigests {
  Digest128 stored;
  Digest128 computed;
};
PageDigests page_digests(Bytes page);
std::string hex_bytes(Bytes bytes);

// For damaged headers: version of a page whose digest may be wrong; 0 when the magic is.
std::uint16_t peek_major(Bytes page);

}  // namespace ingot::format
