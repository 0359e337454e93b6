// Numbers of the file format. docs/format.md is normative; a test compares its tables with this
// file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ingot::format {

// 0x89 "ING" CR LF 0x1A LF, after PNG (ISO/IEC 15948, 5.2): the high bit and the line ends show
// files that went through a text-mode transfer, 0x1A stops `type`.
inline constexpr std::array<std::uint8_t, 8> kMagic = {0x89, 'I', 'N', 'G', '\r', '\n', 0x1A, '\n'};

inline constexpr std::uint64_t kPageBytes = 4096;  // of each header; also the alignment of regions
inline constexpr std::uint64_t kDataBegin = kPageBytes;

inline constexpr std::uint16_t kMajor = 1;
inline constexpr std::uint16_t kMinor = 0;

// Feature bits. Unknown required bits refuse the file, unknown optional bits are ignored.
inline constexpr std::uint64_t kFeaturePieces = 1u << 0;      // required; not implemented by v1.0
inline constexpr std::uint64_t kFeatureOtherFiles = 1u << 1;  // required; not implemented by v1.0
inline constexpr std::uint64_t kKnownRequiredFeatures = 0;
inline constexpr std::uint64_t kOptionalSha256 = 1u << 0;  // digest table has a SHA-256 column

// Offsets of the header's fields.
namespace header_at {
inline constexpr std::size_t kMagic = 0;
inline constexpr std::size_t kMajor = 8;              // u16
inline constexpr std::size_t kMinor = 10;             // u16
inline constexpr std::size_t kHeaderBytes = 12;       // u32, 4096
inline constexpr std::size_t kRequiredFeatures = 16;  // u64
inline constexpr std::size_t kOptionalFeatures = 24;  // u64
inline constexpr std::size_t kFileBytes = 32;         // u64
inline constexpr std::size_t kDataEnd = 40;           // u64, end of the last storage
inline constexpr std::size_t kDigestsOffset = 48;     // u64
inline constexpr std::size_t kDigestsBytes = 56;      // u64
inline constexpr std::size_t kDigestsDigest = 64;     // XXH3-128: low u64, high u64
inline constexpr std::size_t kIndexOffset = 80;       // u64
inline constexpr std::size_t kIndexBytes = 88;        // u64
inline constexpr std::size_t kIndexDigest = 96;       // XXH3-128
inline constexpr std::size_t kChunkLog2 = 112;        // u32
inline constexpr std::size_t kAlignmentLog2 = 116;    // u32
inline constexpr std::size_t kReserved0 = 120;        // u64, zero
inline constexpr std::size_t kUuid = 128;             // 16 bytes
inline constexpr std::size_t kSaveId = 144;           // 16 bytes
inline constexpr std::size_t kRoot = 160;             // XXH3-128
inline constexpr std::size_t kRootSha256 = 176;       // 32 bytes, or zero
inline constexpr std::size_t kReserved1 = 208;        // zero up to the digest
inline constexpr std::size_t kHeaderDigest = 4080;    // XXH3-128 of bytes [0, 4080)
}  // namespace header_at

// XXH3 is weak between 32 and 240 bytes (xxHash issue 1127): what the root is computed over is
// padded with zeros to this length.
inline constexpr std::size_t kRootInputBytes = 256;

inline constexpr std::uint32_t kMinChunkLog2 = 16;
inline constexpr std::uint32_t kMaxChunkLog2 = 30;
inline constexpr std::uint32_t kMinAlignmentLog2 = 12;
inline constexpr std::uint32_t kMaxAlignmentLog2 = 21;

inline constexpr std::uint64_t kDigestBytes = 16;
inline constexpr std::uint64_t kSha256Bytes = 32;

// Alignment of a storage: of large ones as the header says, of others the power of two at or below
// a sixteenth of their size, within these bounds.
inline constexpr std::uint64_t kLargeStorageBytes = 65536;
inline constexpr std::uint64_t kMinStorageAlignment = 16;
inline constexpr std::uint64_t kMaxSmallAlignment = 256;

inline constexpr std::uint64_t kMinIndexBytes = 8;  // root offset and file identifier
inline constexpr std::uint64_t kMaxIndexBytes = (std::uint64_t{1} << 31) - 2;
inline constexpr std::size_t kMaxNameBytes = 1024;
inline constexpr std::size_t kMaxMediaTypeBytes = 255;
inline constexpr std::size_t kMaxRank = 64;
inline constexpr std::size_t kMaxStateDepth = 64;
// Names that share a 64-bit hash: none in practice; the bound keeps hostile look-ups short.
inline constexpr std::size_t kMaxHashRun = 8;
inline constexpr std::uint8_t kAttachmentRole = 5;
inline constexpr int kMaxVerifierDepth = 8;

}  // namespace ingot::format
