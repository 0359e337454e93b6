#include "format/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/format/no_sha256.h"
#include "tests/support/status_matchers.h"

namespace ingot::format {
namespace {

// The test data of xxHash's own sanity check.
std::vector<std::byte> sanity_buffer(std::size_t length) {
  std::vector<std::byte> buffer(length);
  std::uint64_t generator = 2654435761u;
  for (std::byte& byte : buffer) {
    byte = static_cast<std::byte>(generator >> 56);
    generator *= 11400714785074694797u;
  }
  return buffer;
}

struct Vector128 {
  std::size_t length;
  Digest128 digest;
};

// xxHash 0.8, sanity check, seed 0: one length of each of the algorithm's classes.
constexpr std::array kVectors128 = {
    Vector128{0, {0x6001C324468D497Fu, 0x99AA06D3014798D8u}},
    Vector128{1, {0xC44BDFF4074EECDBu, 0xA6CD5E9392000F6Au}},
    Vector128{6, {0x3E7039BDDA43CFC6u, 0x082AFE0B8162D12Au}},
    Vector128{12, {0x061A192713F69AD9u, 0x6E3EFD8FC7802B18u}},
    Vector128{24, {0x1E7044D28B1B901Du, 0x0CE966E4678D3761u}},
    Vector128{48, {0xF942219AED80F67Bu, 0xA002AC4E5478227Eu}},
    Vector128{81, {0x5E8BAFB9F95FB803u, 0x4952F58181AB0042u}},
    Vector128{222, {0xF1AEBD597CEC6B3Au, 0x337E09641B948717u}},
    Vector128{403, {0xCDEB804D65C6DEA4u, 0x1B6DE21E332DD73Du}},
    Vector128{512, {0x617E49599013CB6Bu, 0x18D2D110DCC9BCA1u}},
    Vector128{2048, {0xDD59E2C3A5F038E0u, 0xF736557FD47073A5u}},
    Vector128{2240, {0x6E73A90539CF2948u, 0xCCB134FBFA7CE49Du}},
    Vector128{2367, {0xCB37AEB9E5D361EDu, 0xE89C0F6FF369B427u}},
};

TEST(Xxh3, PublishedVectors128) {
  for (const auto& [length, digest] : kVectors128) {
    EXPECT_EQ(xxh3_128(sanity_buffer(length)), digest) << length;
    EXPECT_EQ(digest_of(sanity_buffer(length)), digest) << length;
  }
}

TEST(Xxh3, PublishedVectors64) {
  EXPECT_EQ(xxh3_64({}), 0x2D06800538D394C2u);
  EXPECT_EQ(xxh3_64(sanity_buffer(1)), 0xC44BDFF4074EECDBu);
  EXPECT_EQ(xxh3_64(sanity_buffer(6)), 0x27B56A84CD2D7325u);
  EXPECT_EQ(xxh3_64(sanity_buffer(12)), 0xA713DAF0DFBB77E7u);
  EXPECT_EQ(xxh3_64(sanity_buffer(24)), 0xA3FE70BF9D3510EBu);
  EXPECT_EQ(xxh3_64(sanity_buffer(80)), 0xBCDEFBBB2C47C90Au);
  EXPECT_EQ(xxh3_64(sanity_buffer(195)), 0xCD94217EE362EC3Au);
  EXPECT_EQ(xxh3_64(sanity_buffer(403)), 0xCDEB804D65C6DEA4u);
  EXPECT_EQ(xxh3_64(sanity_buffer(2367)), 0xCB37AEB9E5D361EDu);
}

TEST(Xxh3, InPartsAsAtOnce) {
  const std::vector<std::byte> buffer = sanity_buffer(70000);
  for (const std::size_t length : {0u, 1u, 3u, 8u, 16u, 17u, 128u, 129u, 240u, 241u, 256u, 1024u,
                                   1025u, 4096u, 65536u, 70000u}) {
    const Bytes bytes = Bytes(buffer).first(length);
    for (const std::size_t step : {1u, 7u, 64u, 255u, 256u, 1000u, 70000u}) {
      StreamingDigest streaming;
      for (std::size_t at = 0; at < length; at += step) {
        streaming.update(bytes.subspan(at, std::min(step, length - at)));
      }
      EXPECT_EQ(streaming.finish(), xxh3_128(bytes)) << length << " in steps of " << step;
    }
  }
}

TEST(Xxh3, StreamingStatesAreIndependentAndMove) {
  const std::vector<std::byte> buffer = sanity_buffer(500);
  StreamingDigest a;
  StreamingDigest b;
  a.update(Bytes(buffer).first(300));
  b.update(Bytes(buffer).first(1));
  StreamingDigest c = std::move(a);
  c.update(Bytes(buffer).subspan(300));
  EXPECT_EQ(c.finish(), xxh3_128(buffer));
  EXPECT_EQ(c.finish(), xxh3_128(buffer));  // finish() does not consume
  EXPECT_EQ(b.finish(), xxh3_128(Bytes(buffer).first(1)));
}

TEST(Xxh3, PrintsAsXxh128sumDoes) {
  EXPECT_EQ(to_string(Digest128{.low = 0x6001C324468D497Fu, .high = 0x99AA06D3014798D8u}),
            "99aa06d3014798d86001c324468d497f");
}

// FIPS 180-4, examples.
TEST(Sha256Test, PublishedVectors) {
  EXPECT_EQ(to_string(sha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_string(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_string(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Test, InPartsAsAtOnce) {
  const std::vector<std::byte> buffer = sanity_buffer(1000);
  for (const std::size_t step : {1u, 63u, 64u, 65u, 1000u}) {
    StreamingSha256 streaming;
    for (std::size_t at = 0; at < buffer.size(); at += step) {
      streaming.update(Bytes(buffer).subspan(at, std::min(step, buffer.size() - at)));
    }
    EXPECT_EQ(streaming.finish(), sha256(buffer)) << step;
  }
}

TEST(Sha256Test, IsThere) { EXPECT_OK(check_sha256("f")); }

// An administrator may configure libcrypto without it: then there is an error, and no digest.
TEST(Sha256Test, ALibcryptoWithoutIt) {
  const ::ingot::testing::NoSha256 none;
  EXPECT_EXIT(
      {
        const Status status = check_sha256("model.ingot");
        std::fprintf(stderr, "%s\n", status.to_string().c_str());
        std::exit(status.code() == Code::kUnsupported ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "model.ingot: libcrypto has no SHA-256");
  EXPECT_DEATH([]() noexcept { sha256({}); }(), "");
  EXPECT_DEATH([]() noexcept { StreamingSha256(); }(), "");
}

}  // namespace
}  // namespace ingot::format
