#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace ingot {
namespace {

TEST(BytesTest, LittleEndianFields) {
  std::array<std::byte, 12> bytes{};
  store_le<std::uint32_t>(bytes, 3, 0x01020304U);
  EXPECT_EQ(bytes[2], std::byte{0});
  EXPECT_EQ(bytes[3], std::byte{4});
  EXPECT_EQ(bytes[6], std::byte{1});
  EXPECT_EQ(bytes[7], std::byte{0});
  EXPECT_EQ(load_le<std::uint32_t>(bytes, 3), 0x01020304U);
  EXPECT_EQ(load_le<std::uint8_t>(bytes, 4), 3);
}

TEST(BytesTest, TextRoundTrip) {
  constexpr std::string_view kText = "abc";
  EXPECT_EQ(as_bytes(kText).size(), 3U);
  EXPECT_EQ(as_text(as_bytes(kText)), kText);
}

// Every length around the eight-byte steps, at every alignment.
TEST(FirstNonzeroTest, AllZeros) {
  const std::vector<std::byte> zeros(64);
  for (std::size_t begin = 0; begin < 8; ++begin) {
    for (std::size_t length = 0; length + begin <= zeros.size(); ++length) {
      EXPECT_EQ(first_nonzero(Bytes(zeros).subspan(begin, length)), length);
    }
  }
}

TEST(FirstNonzeroTest, EveryPositionAndEveryBit) {
  std::vector<std::byte> bytes(41);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<std::byte>(1 << bit);
      EXPECT_EQ(first_nonzero(bytes), i);
      EXPECT_EQ(first_nonzero(Bytes(bytes).first(i)), i) << "what lies behind the span counts not";
    }
    bytes[i] = std::byte{0};
  }
}

TEST(FirstNonzeroTest, TheFirstOfSeveral) {
  std::vector<std::byte> bytes(40);
  bytes[17] = bytes[18] = bytes[33] = std::byte{1};
  EXPECT_EQ(first_nonzero(bytes), 17U);
}

}  // namespace
}  // namespace ingot
