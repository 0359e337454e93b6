#include "format/header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <numeric>

#include "format/digest.h"
#include "format/layout.h"
#include "tests/support/hostile_index.h"
#include "tests/support/status_matchers.h"

namespace ingot::format {
namespace {

namespace at = header_at;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::seal_header;
using testing::StatusIs;

// Every byte of every field differs from its neighbours, as far as the rules between fields allow.
Header distinct_header(bool sha256 = false) {
  Header header;
  header.optional_features = 0xF1E2D3C4B5A69700u | (sha256 ? 1 : 0);
  header.data_end = 0x0001020304050607;
  const TailLayout tail = *tail_layout(header.data_end, 0x00000A0B0C0D, sha256, 0x2C3B4A59);
  header.file_bytes = tail.file_bytes;
  header.digests_offset = tail.digests_offset;
  header.digests_bytes = tail.digests_bytes;
  header.digests_digest = {0x1011121314151617, 0x18191A1B1C1D1E1F};
  header.index_offset = tail.index_offset;
  header.index_bytes = tail.index_bytes;
  header.index_digest = {0x2021222324252627, 0x28292A2B2C2D2E2F};
  header.chunk_log2 = 17;
  header.alignment_log2 = 13;
  std::iota(header.uuid.begin(), header.uuid.end(), std::uint8_t{0x30});
  std::iota(header.save_id.begin(), header.save_id.end(), std::uint8_t{0x40});
  if (sha256) std::iota(header.root_sha256.begin(), header.root_sha256.end(), std::uint8_t{0x50});
  return header;
}

Result<Header> decode(const HeaderPage& page) {
  return decode_header(page, "model.ingot", Region::kHeader);
}

// Recomputes the root, then the page's digest: what an attacker does.
void seal_root(MutableBytes page) {
  std::array<std::byte, kRootInputBytes> input{};
  std::memcpy(input.data(), page.data(), at::kRoot);
  const Digest128 root = xxh3_128(input);
  store_le(page, at::kRoot, root.low);
  store_le(page, at::kRoot + 8, root.high);
  seal_header(page);
}

Result<Header> decode_edited(const std::function<void(MutableBytes)>& edit, bool sha256 = false) {
  Header header = distinct_header(sha256);
  HeaderPage page = encode_header(header);
  edit(page);
  seal_root(page);
  return decode(page);
}

template <typename T>
Result<Header> decode_with(std::size_t offset, T value) {
  return decode_edited([&](MutableBytes page) { store_le(page, offset, value); });
}

TEST(HeaderTest, EveryFieldComesBack) {
  for (const bool sha256 : {false, true}) {
    Header header = distinct_header(sha256);
    const HeaderPage page = encode_header(header);
    ASSERT_OK_AND_ASSIGN(const Header decoded, decode(page));
    EXPECT_EQ(decoded, header);
    EXPECT_EQ(decoded.has_sha256(), sha256);
    EXPECT_EQ(decoded.chunk_count(), 0x0A0B0C0Du);
    EXPECT_EQ(decoded.chunk_bytes(), 131072u);
    EXPECT_EQ(decoded.alignment(), 8192u);
    EXPECT_EQ(decoded.second_header_offset(), header.file_bytes - 4096);
  }
}

TEST(HeaderTest, BytesLieWhereTheDocumentSays) {
  Header header = distinct_header();
  const HeaderPage page = encode_header(header);
  const std::array<unsigned char, 16> front = {0x89, 'I', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A,
                                               1,    0,   0,   0,   0x00, 0x10, 0,    0};
  EXPECT_EQ(std::memcmp(page.data(), front.data(), front.size()), 0);
  EXPECT_EQ(load_le<std::uint64_t>(page, 40), 0x0001020304050607u);
  EXPECT_EQ(static_cast<int>(page[40]), 0x07) << "little-endian";
  EXPECT_EQ(load_le<std::uint64_t>(page, 64), 0x1011121314151617u) << "low half first";
  EXPECT_EQ(load_le<std::uint64_t>(page, 72), 0x18191A1B1C1D1E1Fu);
  EXPECT_EQ(static_cast<int>(page[128]), 0x30);
  EXPECT_EQ(static_cast<int>(page[144]), 0x40);
}

// F-01
TEST(HeaderTest, NoMagicIsNoIngotFile) {
  for (std::size_t i = 0; i < kMagic.size(); ++i) {
    Header header = distinct_header();
    HeaderPage page = encode_header(header);
    page[i] ^= std::byte{0x20};
    EXPECT_THAT(decode(page), StatusIs(Code::kCorrupt, HasSubstr("F-01")));
    EXPECT_FALSE(has_magic(page));
    EXPECT_EQ(peek_major(page), 0);
  }
  EXPECT_FALSE(has_magic({}));
}

// F-02: no bit of the page may change, be it reserved or in use.
TEST(HeaderTest, EveryBitIsCovered) {
  Header header = distinct_header(true);
  HeaderPage page = encode_header(header);
  for (std::size_t bit = 0; bit < 8 * kPageBytes; ++bit) {
    page[bit / 8] ^= std::byte{1} << (bit % 8);
    ASSERT_THAT(decode(page), StatusIs(Code::kCorrupt)) << "bit " << bit;
    page[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  EXPECT_THAT(decode(page), IsOk());
}

TEST(HeaderTest, DigestErrorSaysExpectedAndFound) {
  Header header = distinct_header();
  HeaderPage page = encode_header(header);
  page[100] ^= std::byte{1};
  const Status status = decode(page).status();
  EXPECT_THAT(status, StatusIs(Code::kCorrupt, HasSubstr("model.ingot: F-02: ")));
  EXPECT_THAT(std::string(status.message()), HasSubstr("expected "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("found "));
  EXPECT_EQ(status.location().region, Region::kHeader);
}

// F-03
TEST(HeaderTest, OtherMajorVersionsAreUnsupported) {
  EXPECT_THAT(decode_with<std::uint16_t>(at::kMajor, 0),
              StatusIs(Code::kUnsupported, HasSubstr("F-03")));
  EXPECT_THAT(decode_with<std::uint16_t>(at::kMajor, 2),
              StatusIs(Code::kUnsupported, HasSubstr("expected 1, found 2")));
}

// F-04
TEST(HeaderTest, UnknownRequiredFeaturesAreUnsupportedByName) {
  EXPECT_THAT(
      decode_with<std::uint64_t>(at::kRequiredFeatures, 1),
      StatusIs(Code::kUnsupported, HasSubstr("F-04: required feature in the header: expected only "
                                             "bits that this version knows, found "
                                             "bit 0 (pieces)")));
  EXPECT_THAT(decode_with<std::uint64_t>(at::kRequiredFeatures, 2),
              StatusIs(Code::kUnsupported, HasSubstr("bit 1 (storages in other files)")));
  EXPECT_THAT(decode_with<std::uint64_t>(at::kRequiredFeatures, (std::uint64_t{1} << 63) | 4),
              StatusIs(Code::kUnsupported, HasSubstr("bit 2, bit 63")));
}

// F-05
TEST(HeaderTest, UnknownOptionalFeaturesAreIgnored) {
  EXPECT_THAT(decode_with(at::kOptionalFeatures, ~std::uint64_t{1}), IsOk());
}

// F-06
TEST(HeaderTest, HeaderBytes) {
  for (const std::uint32_t bytes : {0u, 4095u, 4097u, 8192u}) {
    EXPECT_THAT(decode_with(at::kHeaderBytes, bytes), StatusIs(Code::kRejected, HasSubstr("F-06")));
  }
}

// F-07
TEST(HeaderTest, ReservedBytesAreZeroInMinorVersionZero) {
  for (const std::size_t offset : {120u, 127u, 208u, 2000u, 4079u}) {
    auto set = [&](MutableBytes page) { page[offset] = std::byte{1}; };
    EXPECT_THAT(decode_edited(set), StatusIs(Code::kRejected, HasSubstr("F-07"))) << offset;
    auto set_in_later_minor = [&](MutableBytes page) {
      set(page);
      store_le<std::uint16_t>(page, at::kMinor, 1);
    };
    EXPECT_THAT(decode_edited(set_in_later_minor), IsOk()) << offset;
  }
}

// F-08, F-09
TEST(HeaderTest, ChunkAndAlignmentBounds) {
  for (const std::uint32_t log2 : {0u, 15u, 31u, 64u, ~0u}) {
    EXPECT_THAT(decode_with(at::kChunkLog2, log2), StatusIs(Code::kRejected, HasSubstr("F-08")));
  }
  for (const std::uint32_t log2 : {16u, 30u})
    EXPECT_THAT(decode_with(at::kChunkLog2, log2), IsOk());
  for (const std::uint32_t log2 : {0u, 11u, 22u, 64u, ~0u}) {
    EXPECT_THAT(decode_with(at::kAlignmentLog2, log2),
                StatusIs(Code::kRejected, HasSubstr("F-09")));
  }
  for (const std::uint32_t log2 : {12u, 21u}) {
    EXPECT_THAT(decode_with(at::kAlignmentLog2, log2), IsOk());
  }
}

// F-10
TEST(HeaderTest, DataEnd) {
  for (const std::uint64_t end : {0u, 1u, 4095u}) {
    EXPECT_THAT(decode_with(at::kDataEnd, end), StatusIs(Code::kRejected, HasSubstr("F-10")));
  }
}

// F-11
TEST(HeaderTest, DigestsBytesIsAMultipleOfItsEntries) {
  EXPECT_THAT(decode_with<std::uint64_t>(at::kDigestsBytes, 17),
              StatusIs(Code::kRejected, HasSubstr("F-11")));
  auto set = [&](MutableBytes page) { store_le<std::uint64_t>(page, at::kDigestsBytes, 16); };
  EXPECT_THAT(decode_edited(set, true), StatusIs(Code::kRejected, HasSubstr("F-11")));
}

// F-12
TEST(HeaderTest, IndexBytes) {
  for (const std::uint64_t bytes :
       {std::uint64_t{0}, std::uint64_t{7}, kMaxIndexBytes + 1, ~std::uint64_t{0}}) {
    EXPECT_THAT(decode_with(at::kIndexBytes, bytes), StatusIs(Code::kRejected, HasSubstr("F-12")));
  }
}

// F-13
TEST(HeaderTest, OffsetsFollowFromLengths) {
  for (const std::size_t field : {at::kFileBytes, at::kDigestsOffset, at::kIndexOffset}) {
    for (const std::uint64_t delta : {std::uint64_t{1}, std::uint64_t{4096},
                                      ~std::uint64_t{0} - 4095, std::uint64_t{1} << 63}) {
      auto add = [&](MutableBytes page) {
        store_le(page, field, load_le<std::uint64_t>(page, field) + delta);
      };
      EXPECT_THAT(decode_edited(add), StatusIs(Code::kRejected, HasSubstr("F-13"))) << field;
    }
  }
  for (const std::uint64_t end : {~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    EXPECT_THAT(decode_with(at::kDataEnd, end), StatusIs(Code::kRejected, HasSubstr("F-13")));
  }
  EXPECT_THAT(decode_with(at::kDigestsBytes, ~std::uint64_t{0} - 15),
              StatusIs(Code::kRejected, HasSubstr("F-13")));
}

// F-14
TEST(HeaderTest, RootIsComputedOverTheFields) {
  Header header = distinct_header();
  HeaderPage page = encode_header(header);
  store_le(MutableBytes(page), at::kRoot, header.root.low + 1);
  seal_header(page);
  EXPECT_THAT(decode(page), StatusIs(Code::kRejected, HasSubstr("F-14")));
}

TEST(HeaderTest, RootStandsForEveryFieldBeforeIt) {
  Header header = distinct_header();
  encode_header(header);
  Header other = distinct_header();
  other.save_id[15] ^= 1;
  encode_header(other);
  EXPECT_NE(header.root, other.root);
}

// F-15
TEST(HeaderTest, Sha256RootGoesWithItsFeature) {
  auto clear = [](MutableBytes page) { std::memset(page.data() + at::kRootSha256, 0, 32); };
  EXPECT_THAT(decode_edited(clear, true), StatusIs(Code::kRejected, HasSubstr("F-15")));
  auto set = [](MutableBytes page) { page[at::kRootSha256 + 31] = std::byte{1}; };
  EXPECT_THAT(decode_edited(set, false), StatusIs(Code::kRejected, HasSubstr("F-15")));
}

// F-16: computed once more, from the bytes.
TEST(HeaderTest, Sha256RootCoversFieldsIndexAndColumn) {
  Header header = distinct_header(true);
  const Sha256 index = sha256(as_bytes("index"));
  const Sha256 column = sha256(as_bytes("column"));
  header.root_sha256 = compute_root_sha256(header, index, column);
  const HeaderPage page = encode_header(header);
  std::vector<std::byte> input(page.begin(), page.begin() + 160);
  for (const Sha256& part : {index, column}) {
    for (const std::uint8_t byte : part) input.push_back(std::byte{byte});
  }
  ASSERT_EQ(input.size(), 224u);
  EXPECT_EQ(header.root_sha256, sha256(input));
}

// F-24, F-25
TEST(HeaderTest, IdsFollowFromContent) {
  Header header = distinct_header();
  const HeaderPage page = encode_header(header);
  std::vector<std::byte> input(page.begin(), page.begin() + 128);
  input.resize(256);
  const Digest128 digest = xxh3_128(input);
  auto uuid = derive_uuid(header);
  EXPECT_EQ(uuid[6] & 0xF0, 0x80);
  EXPECT_EQ(uuid[8] & 0xC0, 0x80);
  std::array<std::uint8_t, 16> raw{};
  std::memcpy(raw.data(), &digest.low, 8);
  std::memcpy(raw.data() + 8, &digest.high, 8);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (i == 6 || i == 8) continue;
    EXPECT_EQ(uuid[i], raw[i]) << i;
  }
  input[255] = std::byte{1};
  const Digest128 other = xxh3_128(input);
  EXPECT_EQ(std::memcmp(derive_save_id(header).data(), &other.low, 8), 0);

  // They depend on the content, and not on themselves.
  Header same = header;
  same.uuid = {};
  same.save_id = {};
  EXPECT_EQ(derive_uuid(same), uuid);
  same.index_digest.low ^= 1;
  EXPECT_NE(derive_uuid(same), uuid);
  EXPECT_NE(derive_save_id(same), derive_save_id(header));
}

TEST(HeaderTest, PagesOfAnotherSizeAreTheCallersMistake) {
  Header header = distinct_header();
  const HeaderPage page = encode_header(header);
  EXPECT_THAT(decode_header(Bytes(page).first(4095), "x", Region::kHeader),
              StatusIs(Code::kInvalidArgument));
}

TEST(HeaderTest, PeekMajorWorksOnDamagedPages) {
  Header header = distinct_header();
  HeaderPage page = encode_header(header);
  page[4090] ^= std::byte{1};
  EXPECT_EQ(peek_major(page), 1);
  EXPECT_EQ(peek_major(Bytes(page).first(100)), 0);
}

TEST(HeaderTest, ErrorsNameTheirRegion) {
  Header header = distinct_header();
  HeaderPage page = encode_header(header);
  page[9] ^= std::byte{1};
  EXPECT_EQ(decode_header(page, "x", Region::kSecondHeader).status().location().region,
            Region::kSecondHeader);
}

}  // namespace
}  // namespace ingot::format
