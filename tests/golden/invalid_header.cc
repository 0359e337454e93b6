// Header pages: damaged bytes, versions and features of the future, and every field at odds with
// the rest.
#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "format/constants.h"
#include "format/digest.h"
#include "tests/fuzz/fix_digests.h"
#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace at = format::header_at;

namespace {

constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();

void copy_to_second(Draft& draft) {
  std::memcpy(draft.second_header().data(), draft.header().data(), draft.header().size());
}

// One field replaced, root and page digest recomputed, both pages alike.
template <typename T>
InvalidGolden field(std::string name, Code code, std::string rule, std::string why,
                    std::size_t offset, T value) {
  return damaged("header_" + name, code, std::move(rule), std::move(why),
                 [offset, value](Draft& draft) {
                   draft.set<T>(offset, value);
                   fuzz::fix_header(draft.header());
                   copy_to_second(draft);
                 });
}

// One field moved by a signed distance.
InvalidGolden moved(std::string name, std::string rule, std::string why, std::size_t offset,
                    std::int64_t distance) {
  return damaged(
      "header_" + name, Code::kRejected, std::move(rule), std::move(why),
      [offset, distance](Draft& draft) {
        draft.set(offset, draft.get<std::uint64_t>(offset) + static_cast<std::uint64_t>(distance));
        fuzz::fix_header(draft.header());
        copy_to_second(draft);
      });
}

// One bit flipped in both pages, digests as they were.
InvalidGolden flipped(std::string_view what, std::size_t offset) {
  return damaged("header_flip_" + std::string(what), Code::kCorrupt, "F-02",
                 "one bit of " + std::string(what) + " flipped in both pages", [offset](Draft& d) {
                   d.header()[offset] ^= std::byte{0x10};
                   copy_to_second(d);
                 });
}

// Eight bytes in the place of the magic, in both pages.
InvalidGolden magic(std::string name, std::string why, std::array<std::uint8_t, 8> bytes) {
  return damaged("magic_" + name, Code::kCorrupt, "F-01", std::move(why), [bytes](Draft& d) {
    std::memcpy(d.header().data(), bytes.data(), bytes.size());
    fuzz::fix_header(d.header());
    copy_to_second(d);
  });
}

void add_magic(Goldens& all) {
  all.push_back(magic("zero", "no magic at all", {}));
  all.push_back(
      magic("text_mode", "CR LF became LF on the way", {0x89, 'I', 'N', 'G', '\n', 0x1A, '\n', 1}));
  all.push_back(magic("seven_bits", "the high bit was stripped on the way",
                      {0x09, 'I', 'N', 'G', '\r', '\n', 0x1A, '\n'}));
  all.push_back(magic("zip", "a ZIP archive", {'P', 'K', 3, 4, 20, 0, 0, 0}));
  all.push_back(magic("safetensors", "a .safetensors header", {0x40, 0, 0, 0, 0, 0, 0, 0}));
  all.push_back(magic("pickle", "a pickle", {0x80, 2, '}', 'q', 0, '.', 0, 0}));
  all.push_back(magic("gguf", "a GGUF file", {'G', 'G', 'U', 'F', 3, 0, 0, 0}));
  all.push_back(magic("png", "a PNG image", {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'}));
  all.push_back(
      magic("last_byte", "the last byte of the magic", {0x89, 'I', 'N', 'G', '\r', '\n', 0x1A, 0}));
}

void add_flips(Goldens& all) {
  all.push_back(flipped("major", at::kMajor));
  all.push_back(flipped("minor", at::kMinor));
  all.push_back(flipped("header_bytes", at::kHeaderBytes));
  all.push_back(flipped("required_features", at::kRequiredFeatures));
  all.push_back(flipped("optional_features", at::kOptionalFeatures));
  all.push_back(flipped("file_bytes", at::kFileBytes));
  all.push_back(flipped("data_end", at::kDataEnd));
  all.push_back(flipped("digests_offset", at::kDigestsOffset));
  all.push_back(flipped("digests_bytes", at::kDigestsBytes));
  all.push_back(flipped("digests_digest", at::kDigestsDigest));
  all.push_back(flipped("index_offset", at::kIndexOffset));
  all.push_back(flipped("index_bytes", at::kIndexBytes));
  all.push_back(flipped("index_digest", at::kIndexDigest));
  all.push_back(flipped("chunk_log2", at::kChunkLog2));
  all.push_back(flipped("alignment_log2", at::kAlignmentLog2));
  all.push_back(flipped("reserved0", at::kReserved0));
  all.push_back(flipped("uuid", at::kUuid));
  all.push_back(flipped("save_id", at::kSaveId));
  all.push_back(flipped("root", at::kRoot));
  all.push_back(flipped("root_sha256", at::kRootSha256));
  all.push_back(flipped("reserved1", at::kReserved1));
  all.push_back(flipped("header_digest", at::kHeaderDigest));
}

void add_versions(Goldens& all) {
  const auto version = [](std::string name, std::uint16_t major, std::string why) {
    return field<std::uint16_t>(std::move(name), Code::kUnsupported, "F-03", std::move(why),
                                at::kMajor, major);
  };
  all.push_back(version("major_0", 0, "a version that never was"));
  all.push_back(version("major_2", 2, "the next major version"));
  all.push_back(version("major_65535", 65535, "the last major version"));
  all.push_back(damaged("header_major_2_other_digest", Code::kUnsupported, "F-03",
                        "a later version that keeps its digest elsewhere", [](Draft& d) {
                          d.set<std::uint16_t>(at::kMajor, 2);
                          std::memset(&d.header()[at::kHeaderDigest], 0x5A, 16);
                          copy_to_second(d);
                        }));
  const auto feature = [](std::string name, std::uint64_t bits, std::string why) {
    return field<std::uint64_t>(std::move(name), Code::kUnsupported, "F-04", std::move(why),
                                at::kRequiredFeatures, bits);
  };
  all.push_back(feature("feature_pieces", 1, "required feature 0: tensors in pieces"));
  all.push_back(feature("feature_files", 2, "required feature 1: storages in other files"));
  all.push_back(feature("feature_2", 4, "the first required feature without a meaning"));
  all.push_back(feature("feature_31", std::uint64_t{1} << 31, "required feature 31"));
  all.push_back(feature("feature_63", std::uint64_t{1} << 63, "required feature 63"));
  all.push_back(feature("features_all", kMax64, "all required features"));
}

void add_constants(Goldens& all) {
  const auto u32 = [](std::string name, std::string rule, std::size_t offset, std::uint32_t value,
                      std::string why) {
    return field<std::uint32_t>(std::move(name), Code::kRejected, std::move(rule), std::move(why),
                                offset, value);
  };
  all.push_back(u32("header_bytes_0", "F-06", at::kHeaderBytes, 0, "header length 0"));
  all.push_back(u32("header_bytes_4095", "F-06", at::kHeaderBytes, 4095, "header length 4095"));
  all.push_back(u32("header_bytes_8192", "F-06", at::kHeaderBytes, 8192, "header length 8192"));
  all.push_back(u32("chunk_log2_0", "F-08", at::kChunkLog2, 0, "chunks of one byte"));
  all.push_back(u32("chunk_log2_15", "F-08", at::kChunkLog2, 15, "chunks of 32 KiB"));
  all.push_back(u32("chunk_log2_31", "F-08", at::kChunkLog2, 31, "chunks of 2 GiB"));
  all.push_back(
      u32("chunk_log2_64", "F-08", at::kChunkLog2, 64, "a shift by the width of the type"));
  all.push_back(u32("chunk_log2_max", "F-08", at::kChunkLog2, 0xFFFFFFFF, "a shift by 2^32 - 1"));
  all.push_back(u32("alignment_log2_0", "F-09", at::kAlignmentLog2, 0, "no alignment"));
  all.push_back(u32("alignment_log2_11", "F-09", at::kAlignmentLog2, 11, "alignment of 2 KiB"));
  all.push_back(u32("alignment_log2_22", "F-09", at::kAlignmentLog2, 22, "alignment of 4 MiB"));
  all.push_back(u32("alignment_log2_30", "F-09", at::kAlignmentLog2, 30,
                    "alignment of 1 GiB (GGUF's open class, ggml PR 1516)"));
  all.push_back(
      u32("alignment_log2_64", "F-09", at::kAlignmentLog2, 64, "a shift by the width of the type"));
  const auto reserved = [](std::string name, std::size_t offset, std::string why) {
    return field<std::uint8_t>(std::move(name), Code::kRejected, "F-07", std::move(why), offset, 1);
  };
  all.push_back(reserved("reserved0_first", at::kReserved0, "first byte of the first reserve"));
  all.push_back(reserved("reserved0_last", at::kReserved0 + 7, "last byte of the first reserve"));
  all.push_back(reserved("reserved1_first", at::kReserved1, "first byte of the second reserve"));
  all.push_back(reserved("reserved1_middle", 2000, "a byte in the middle of the second reserve"));
  all.push_back(
      reserved("reserved1_last", at::kHeaderDigest - 1, "last byte of the second reserve"));
}

void add_lengths(Goldens& all) {
  const auto u64 = [](std::string name, std::string rule, std::size_t offset, std::uint64_t value,
                      std::string why) {
    return field<std::uint64_t>(std::move(name), Code::kRejected, std::move(rule), std::move(why),
                                offset, value);
  };
  all.push_back(u64("data_end_0", "F-10", at::kDataEnd, 0, "data ends before it begins"));
  all.push_back(u64("data_end_4095", "F-10", at::kDataEnd, 4095, "data ends inside of the header"));
  all.push_back(
      u64("data_end_max", "F-13", at::kDataEnd, kMax64, "rounding up overflows (CVE-2025-53630)"));
  all.push_back(u64("data_end_2_63", "F-13", at::kDataEnd, std::uint64_t{1} << 63,
                    "an offset that is negative as off_t"));
  all.push_back(
      moved("data_end_page_later", "F-13", "data ends in the digest table", at::kDataEnd, 4096));
  all.push_back(u64("digests_bytes_1", "F-11", at::kDigestsBytes, 1, "a part of a digest"));
  all.push_back(
      u64("digests_bytes_17", "F-11", at::kDigestsBytes, 17, "a digest and a part of one"));
  all.push_back(u64("digests_bytes_max", "F-11", at::kDigestsBytes, kMax64,
                    "no multiple of 16, and beyond all files"));
  all.push_back(u64("digests_bytes_huge", "F-13", at::kDigestsBytes, kMax64 - 15,
                    "a multiple of 16 whose end overflows (CVE-2026-27940)"));
  all.push_back(u64("digests_bytes_file", "F-13", at::kDigestsBytes, 1 << 20,
                    "a table longer than the file (CVE-2026-7482)"));
  all.push_back(u64("index_bytes_0", "F-12", at::kIndexBytes, 0, "no index"));
  all.push_back(
      u64("index_bytes_7", "F-12", at::kIndexBytes, 7, "an index without room for its identifier"));
  all.push_back(u64("index_bytes_2_31", "F-12", at::kIndexBytes, std::uint64_t{1} << 31,
                    "an index of 2 GiB: FlatBuffers' assert"));
  all.push_back(
      u64("index_bytes_max", "F-12", at::kIndexBytes, kMax64, "an index of 2^64 - 1 bytes"));
  all.push_back(u64("index_bytes_file", "F-13", at::kIndexBytes, 1 << 30,
                    "an index longer than the file (CVE-2026-7482)"));
  all.push_back(
      u64("digests_offset_0", "F-13", at::kDigestsOffset, 0, "a digest table in the header"));
  all.push_back(
      u64("digests_offset_data", "F-13", at::kDigestsOffset, 4096, "a digest table in the data"));
  all.push_back(
      u64("digests_offset_max", "F-13", at::kDigestsOffset, kMax64, "a digest table at 2^64 - 1"));
  all.push_back(moved("digests_offset_plus_1", "F-13", "a digest table off its alignment",
                      at::kDigestsOffset, 1));
  all.push_back(moved("digests_offset_hole", "F-13", "a page that belongs to no region",
                      at::kDigestsOffset, 4096));
  all.push_back(u64("index_offset_0", "F-13", at::kIndexOffset, 0, "an index in the header"));
  all.push_back(u64("index_offset_data", "F-13", at::kIndexOffset, 4096, "an index in the data"));
  all.push_back(u64("index_offset_max", "F-13", at::kIndexOffset, kMax64, "an index at 2^64 - 1"));
  all.push_back(moved("index_offset_plus_8", "F-13", "an index off its page", at::kIndexOffset, 8));
  all.push_back(moved("index_offset_overlap", "F-13", "an index over the digest table",
                      at::kIndexOffset, -4096));
  all.push_back(u64("file_bytes_0", "F-13", at::kFileBytes, 0, "a file of no length"));
  all.push_back(u64("file_bytes_max", "F-13", at::kFileBytes, kMax64, "a file of 2^64 - 1 bytes"));
  all.push_back(moved("file_bytes_plus_1", "F-13", "a file one byte longer than its regions",
                      at::kFileBytes, 1));
  all.push_back(moved("file_bytes_page_more", "F-13", "a page after the second header",
                      at::kFileBytes, 4096));
}

// The root wrong under a right page digest.
void break_root(Draft& draft) {
  draft.header()[at::kRoot + 15] ^= std::byte{0x80};
  const Digest128 digest = format::xxh3_128(Bytes(draft.header()).first(at::kHeaderDigest));
  draft.set(at::kHeaderDigest, digest.low);
  draft.set(at::kHeaderDigest + 8, digest.high);
  copy_to_second(draft);
}

void add_roots(Goldens& all) {
  all.push_back(damaged("header_root_wrong", Code::kRejected, "F-14",
                        "a root that is not the digest of the fields before it", break_root));
  all.push_back(field<std::uint8_t>("root_sha256_unasked", Code::kRejected, "F-15",
                                    "a SHA-256 root without the feature bit", at::kRootSha256, 1));
  all.push_back(damaged_file(
      "header_root_sha256_missing", Code::kRejected, "F-15",
      "the feature bit without a SHA-256 root",
      [](Draft& draft) {
        std::memset(&draft.header()[at::kRootSha256], 0, 32);
        fuzz::fix_header(draft.header());
        copy_to_second(draft);
      },
      sha256_file));
  all.push_back(field<std::uint64_t>("sha256_bit_set", Code::kRejected, "F-11",
                                     "the feature bit without a SHA-256 column",
                                     at::kOptionalFeatures, 1));
  all.push_back(damaged_file(
      "header_sha256_bit_cleared", Code::kRejected, "F-15",
      "a SHA-256 root and column without their feature bit",
      [](Draft& draft) {
        draft.set<std::uint64_t>(at::kOptionalFeatures, 0);
        fuzz::fix_header(draft.header());
        copy_to_second(draft);
      },
      sha256_file));
}

// What only the comparison of the two pages shows.
void add_copies(Goldens& all) {
  const auto page = [](std::string name, std::string rule, std::string why, Edit edit) {
    return damaged("copies_" + name, Code::kCorrupt, std::move(rule), std::move(why),
                   std::move(edit));
  };
  all.push_back(page("first_zeroed", "F-01",
                     "never committed, or the first page lost; the second is intact",
                     [](Draft& d) { std::memset(d.header().data(), 0, 4096); }));
  all.push_back(page("second_zeroed", "F-17", "the last page lost",
                     [](Draft& d) { std::memset(d.second_header().data(), 0, 4096); }));
  all.push_back(page("both_zeroed", "F-01", "both pages lost", [](Draft& d) {
    std::memset(d.header().data(), 0, 4096);
    std::memset(d.second_header().data(), 0, 4096);
  }));
  all.push_back(page("first_flipped", "F-02", "one bit of the first page",
                     [](Draft& d) { d.header()[at::kUuid] ^= std::byte{1}; }));
  all.push_back(page("second_flipped", "F-17", "one bit of the second page",
                     [](Draft& d) { d.second_header()[at::kUuid] ^= std::byte{1}; }));
  all.push_back(
      page("second_other_uuid", "F-17", "an intact second page of another file", [](Draft& d) {
        d.second_header()[at::kUuid] ^= std::byte{1};
        fuzz::fix_header(d.second_header());
      }));
  all.push_back(
      page("second_other_save", "F-17", "an intact second page of another save", [](Draft& d) {
        d.second_header()[at::kSaveId] ^= std::byte{1};
        fuzz::fix_header(d.second_header());
      }));
  all.push_back(page("second_newer_minor", "F-17", "pages of two versions", [](Draft& d) {
    store_le<std::uint16_t>(d.second_header(), at::kMinor, 1);
    fuzz::fix_header(d.second_header());
  }));
  all.push_back(page("first_torn", "F-02", "the first page torn at a sector",
                     [](Draft& d) { std::memset(d.header().data() + 512, 0xFF, 3584); }));
  all.push_back(page("second_torn", "F-17", "the last page torn at a sector",
                     [](Draft& d) { std::memset(d.second_header().data() + 512, 0xFF, 3584); }));
  all.push_back(damaged("copies_first_lost_second_foreign", Code::kTruncated, "F-18",
                        "the first page lost, the last one of a longer file", [](Draft& d) {
                          std::memset(d.header().data(), 0, 4096);
                          std::memcpy(d.second_header().data(), valid_file("many").data(), 4096);
                        }));
}

}  // namespace

Goldens invalid_header() {
  Goldens all;
  add_magic(all);
  add_flips(all);
  add_versions(all);
  add_constants(all);
  add_lengths(all);
  add_roots(all);
  add_copies(all);
  return all;
}

}  // namespace ingot::golden
