#include "format/header.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "format/digest.h"
#include "format/layout.h"

namespace ingot::format {
namespace {

namespace at = header_at;

static_assert(at::kRootSha256 == at::kRoot + kDigestBytes);
static_assert(at::kReserved1 == at::kRootSha256 + kSha256Bytes);
static_assert(at::kHeaderDigest + kDigestBytes == kPageBytes);
static_assert(at::kRoot <= kRootInputBytes && at::kUuid <= kRootInputBytes);

void store_digest(MutableBytes page, std::size_t offset, const Digest128& digest) {
  store_le(page, offset, digest.low);
  store_le(page, offset + 8, digest.high);
}

Digest128 load_digest(Bytes page, std::size_t offset) {
  return {.low = load_le<std::uint64_t>(page, offset),
          .high = load_le<std::uint64_t>(page, offset + 8)};
}

template <typename Array>
Array load_array(Bytes page, std::size_t offset) {
  Array value;
  std::memcpy(value.data(), page.data() + offset, value.size());
  return value;
}

// Every field but the two digests over the page itself.
void store_fields(const Header& header, MutableBytes page) {
  std::memcpy(page.data() + at::kMagic, kMagic.data(), kMagic.size());
  store_le(page, at::kMajor, header.major);
  store_le(page, at::kMinor, header.minor);
  store_le(page, at::kHeaderBytes, static_cast<std::uint32_t>(kPageBytes));
  store_le(page, at::kRequiredFeatures, header.required_features);
  store_le(page, at::kOptionalFeatures, header.optional_features);
  store_le(page, at::kFileBytes, header.file_bytes);
  store_le(page, at::kDataEnd, header.data_end);
  store_le(page, at::kDigestsOffset, header.digests_offset);
  store_le(page, at::kDigestsBytes, header.digests_bytes);
  store_digest(page, at::kDigestsDigest, header.digests_digest);
  store_le(page, at::kIndexOffset, header.index_offset);
  store_le(page, at::kIndexBytes, header.index_bytes);
  store_digest(page, at::kIndexDigest, header.index_digest);
  store_le(page, at::kChunkLog2, header.chunk_log2);
  store_le(page, at::kAlignmentLog2, header.alignment_log2);
  std::memcpy(page.data() + at::kUuid, header.uuid.data(), header.uuid.size());
  std::memcpy(page.data() + at::kSaveId, header.save_id.data(), header.save_id.size());
  std::memcpy(page.data() + at::kRootSha256, header.root_sha256.data(), header.root_sha256.size());
}

Header load_fields(Bytes page) {
  Header header;
  header.major = load_le<std::uint16_t>(page, at::kMajor);
  header.minor = load_le<std::uint16_t>(page, at::kMinor);
  header.required_features = load_le<std::uint64_t>(page, at::kRequiredFeatures);
  header.optional_features = load_le<std::uint64_t>(page, at::kOptionalFeatures);
  header.file_bytes = load_le<std::uint64_t>(page, at::kFileBytes);
  header.data_end = load_le<std::uint64_t>(page, at::kDataEnd);
  header.digests_offset = load_le<std::uint64_t>(page, at::kDigestsOffset);
  header.digests_bytes = load_le<std::uint64_t>(page, at::kDigestsBytes);
  header.digests_digest = load_digest(page, at::kDigestsDigest);
  header.index_offset = load_le<std::uint64_t>(page, at::kIndexOffset);
  header.index_bytes = load_le<std::uint64_t>(page, at::kIndexBytes);
  header.index_digest = load_digest(page, at::kIndexDigest);
  header.chunk_log2 = load_le<std::uint32_t>(page, at::kChunkLog2);
  header.alignment_log2 = load_le<std::uint32_t>(page, at::kAlignmentLog2);
  header.uuid = load_array<std::array<std::uint8_t, 16>>(page, at::kUuid);
  header.save_id = load_array<std::array<std::uint8_t, 16>>(page, at::kSaveId);
  header.root = load_digest(page, at::kRoot);
  header.root_sha256 = load_array<Sha256>(page, at::kRootSha256);
  return header;
}

using RootInput = std::array<std::byte, kRootInputBytes>;

// The first `length` bytes of the page, then zeros.
RootInput root_input(Bytes page, std::size_t length) {
  RootInput input{};
  std::memcpy(input.data(), page.data(), length);
  return input;
}

RootInput id_input(const Header& header) {
  HeaderPage page{};
  store_fields(header, page);
  return root_input(page, at::kUuid);
}

std::array<std::uint8_t, 16> to_array(const Digest128& digest) {
  std::array<std::uint8_t, 16> bytes{};
  store_digest(std::as_writable_bytes(std::span(bytes)), 0, digest);
  return bytes;
}

std::string feature_names(std::uint64_t bits) {
  std::string text;
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t mask = std::uint64_t{1} << bit;
    if ((bits & mask) == 0) continue;
    text += text.empty() ? "bit " : ", bit ";
    text += std::to_string(bit);
    if (mask == kFeaturePieces) text += " (pieces)";
    if (mask == kFeatureOtherFiles) text += " (storages in other files)";
  }
  return text;
}

// The checks of fields against constants and against each other.
class FieldChecks {
 public:
  FieldChecks(Bytes page, const Header& header, std::string_view path, Region region)
      : page_(page), header_(header), path_(path), region_(region) {}

  Status run() const {
    INGOT_RETURN_IF_ERROR(check_constants());
    INGOT_RETURN_IF_ERROR(check_lengths());
    INGOT_RETURN_IF_ERROR(check_offsets());
    return check_roots();
  }

 private:
  ErrorBuilder rejected(std::string_view what) const {
    return make_error(Code::kRejected, what).file(path_).at(region_);
  }

  Status check_constants() const {
    const auto header_bytes = load_le<std::uint32_t>(page_, at::kHeaderBytes);
    if (header_bytes != kPageBytes) {
      return rejected("F-06: header length").expected(kPageBytes).found(header_bytes);
    }
    // Later minor versions may give reserved bytes a meaning that this reader does not need.
    if (header_.minor == 0 &&
        (load_le<std::uint64_t>(page_, at::kReserved0) != 0 || !tail_zero())) {
      return rejected("F-07: reserved bytes are not zero").expected(0).found("others");
    }
    if (header_.chunk_log2 < kMinChunkLog2 || header_.chunk_log2 > kMaxChunkLog2) {
      return rejected("F-08: chunk_log2").expected("16 to 30").found(header_.chunk_log2);
    }
    if (header_.alignment_log2 < kMinAlignmentLog2 || header_.alignment_log2 > kMaxAlignmentLog2) {
      return rejected("F-09: alignment_log2").expected("12 to 21").found(header_.alignment_log2);
    }
    return {};
  }

  bool tail_zero() const {
    const Bytes reserved = page_.subspan(at::kReserved1, at::kHeaderDigest - at::kReserved1);
    return first_nonzero(reserved) == reserved.size();
  }

  Status check_lengths() const {
    if (header_.data_end < kDataBegin) {
      return rejected("F-10: data_end").expected("at least 4096").found(header_.data_end);
    }
    const std::uint64_t entry = header_.has_sha256() ? kDigestBytes + kSha256Bytes : kDigestBytes;
    if (header_.digests_bytes % entry != 0) {
      return rejected("F-11: digests_bytes")
          .expected("a multiple of " + std::to_string(entry))
          .found(header_.digests_bytes);
    }
    if (header_.index_bytes < kMinIndexBytes || header_.index_bytes > kMaxIndexBytes) {
      return rejected("F-12: index_bytes").expected("8 to 2147483646").found(header_.index_bytes);
    }
    return {};
  }

  Status check_offsets() const {
    const auto tail = tail_layout(header_.data_end, header_.chunk_count(), header_.has_sha256(),
                                  header_.index_bytes);
    if (!tail.ok()) {
      return rejected("F-13: offsets do not fit in 63 bits")
          .expected("an end of at most 9223372036854775807")
          .found("data that ends at " + std::to_string(header_.data_end));
    }
    if (header_.digests_offset != tail->digests_offset) {
      return rejected("F-13: digests_offset")
          .expected(tail->digests_offset)
          .found(header_.digests_offset);
    }
    if (header_.index_offset != tail->index_offset) {
      return rejected("F-13: index_offset")
          .expected(tail->index_offset)
          .found(header_.index_offset);
    }
    if (header_.file_bytes != tail->file_bytes) {
      return rejected("F-13: file_bytes").expected(tail->file_bytes).found(header_.file_bytes);
    }
    return {};
  }

  Status check_roots() const {
    const Digest128 root = xxh3_128(root_input(page_, at::kRoot));
    if (root != header_.root) {
      return rejected("F-14: root").expected(to_string(root)).found(to_string(header_.root));
    }
    if ((header_.root_sha256 != Sha256{}) != header_.has_sha256()) {
      return rejected("F-15: root_sha256")
          .expected(header_.has_sha256() ? "a digest" : "zeros")
          .found(to_string(header_.root_sha256));
    }
    return {};
  }

  Bytes page_;
  const Header& header_;
  std::string_view path_;
  Region region_;
};

}  // namespace

HeaderPage encode_header(Header& header) {
  HeaderPage page{};
  store_fields(header, page);
  header.root = xxh3_128(root_input(page, at::kRoot));
  store_digest(page, at::kRoot, header.root);
  store_digest(page, at::kHeaderDigest, xxh3_128(Bytes(page).first(at::kHeaderDigest)));
  return page;
}

std::array<std::uint8_t, 16> derive_uuid(const Header& header) {
  auto uuid = to_array(xxh3_128(id_input(header)));
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0F) | 0x80);  // version 8
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3F) | 0x80);  // variant
  return uuid;
}

std::array<std::uint8_t, 16> derive_save_id(const Header& header) {
  RootInput input = id_input(header);
  input.back() = std::byte{1};
  return to_array(xxh3_128(input));
}

Sha256 compute_root_sha256(const Header& header, const Sha256& index, const Sha256& column) {
  HeaderPage page{};
  store_fields(header, page);
  StreamingSha256 sha;
  sha.update(Bytes(page).first(at::kRoot));
  sha.update(std::as_bytes(std::span(index)));
  sha.update(std::as_bytes(std::span(column)));
  return sha.finish();
}

PageDigests page_digests(Bytes page) {
  return {.stored = load_digest(page, at::kHeaderDigest),
          .computed = xxh3_128(page.first(at::kHeaderDigest))};
}

std::string hex_bytes(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto value = std::to_integer<std::size_t>(byte);
    text += kDigits[value >> 4];
    text += kDigits[value & 0xF];
  }
  return text;
}

bool has_magic(Bytes page) {
  return page.size() >= kMagic.size() &&
         std::memcmp(page.data(), kMagic.data(), kMagic.size()) == 0;
}

std::uint16_t peek_major(Bytes page) {
  if (page.size() < kPageBytes || !has_magic(page)) return 0;
  return load_le<std::uint16_t>(page, at::kMajor);
}

Result<Header> decode_header(Bytes page, std::string_view path, Region region) {
  auto error = [&](Code code, std::string_view what) {
    return make_error(code, what).file(path).at(region);
  };
  if (page.size() != kPageBytes) {
    return error(Code::kInvalidArgument, "a header is one page")
        .expected(kPageBytes)
        .found(page.size());
  }
  if (!has_magic(page)) {
    return error(Code::kCorrupt, "F-01: not an Ingot file: no magic")
        .expected(hex_bytes(std::as_bytes(std::span(kMagic))))
        .found(hex_bytes(page.first(kMagic.size())));
  }
  const PageDigests digests = page_digests(page);
  if (digests.stored != digests.computed) {
    return error(Code::kCorrupt, "F-02: header digest differs")
        .expected(to_string(digests.stored))
        .found(to_string(digests.computed));
  }
  const Header header = load_fields(page);
  if (header.major != kMajor) {
    return error(Code::kUnsupported, "F-03: major version").expected(kMajor).found(header.major);
  }
  if (const std::uint64_t unknown = header.required_features & ~kKnownRequiredFeatures; unknown) {
    return error(Code::kUnsupported, "F-04: required feature")
        .expected("only bits that this version knows")
        .found(feature_names(unknown));
  }
  INGOT_RETURN_IF_ERROR(FieldChecks(page, header, path, region).run());
  return header;
}

}  // namespace ingot::format
