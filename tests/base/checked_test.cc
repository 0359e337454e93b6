#include "base/checked.h"

#include <gtest/gtest.h>

#include <limits>

namespace ingot {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(CheckedTest, AddAtTheEdge) {
  std::uint64_t sum = 0;
  EXPECT_TRUE(checked_add<std::uint64_t>(kMax - 1, 1, &sum));
  EXPECT_EQ(sum, kMax);
  EXPECT_TRUE(checked_add<std::uint64_t>(kMax, 0, &sum));
  EXPECT_FALSE(checked_add<std::uint64_t>(kMax, 1, &sum));
  EXPECT_FALSE(checked_add<std::uint64_t>(kMax, kMax, &sum));
}

TEST(CheckedTest, AddOfNarrowTypesChecksTheNarrowType) {
  std::uint32_t sum = 0;
  EXPECT_FALSE(checked_add<std::uint32_t>(0xFFFFFFFFU, 1, &sum));
  std::uint8_t small = 0;
  EXPECT_TRUE(checked_add<std::uint8_t>(200, 55, &small));
  EXPECT_FALSE(checked_add<std::uint8_t>(200, 56, &small));
}

TEST(CheckedTest, MultiplyAtTheEdge) {
  std::uint64_t product = 0;
  EXPECT_TRUE(checked_mul<std::uint64_t>(0xFFFFFFFFU, 0x100000001U, &product));
  EXPECT_EQ(product, kMax);
  EXPECT_TRUE(checked_mul<std::uint64_t>(kMax, 0, &product));
  EXPECT_EQ(product, 0U);
  EXPECT_FALSE(
      checked_mul<std::uint64_t>(std::uint64_t{1} << 32, std::uint64_t{1} << 32, &product));
  EXPECT_FALSE(checked_mul<std::uint64_t>(kMax, 2, &product));
}

TEST(CheckedTest, RangeInIsHalfOpen) {
  EXPECT_TRUE(range_in(0, 10, 10));
  EXPECT_TRUE(range_in(10, 0, 10));
  EXPECT_TRUE(range_in(0, 0, 0));
  EXPECT_FALSE(range_in(0, 11, 10));
  EXPECT_FALSE(range_in(11, 0, 10));
  EXPECT_FALSE(range_in(5, 6, 10));
}

TEST(CheckedTest, RangeInDoesNotOverflow) {
  EXPECT_FALSE(range_in(kMax, 1, 10));
  EXPECT_FALSE(range_in(1, kMax, 10));
  EXPECT_FALSE(range_in(kMax, kMax, kMax));
  EXPECT_TRUE(range_in(kMax, 0, kMax));
  EXPECT_TRUE(range_in(0, kMax, kMax));
}

TEST(CheckedTest, AlignUp) {
  EXPECT_EQ(checked_align_up(0, 4096), 0U);
  EXPECT_EQ(checked_align_up(1, 4096), 4096U);
  EXPECT_EQ(checked_align_up(4096, 4096), 4096U);
  EXPECT_EQ(checked_align_up(4097, 4096), 8192U);
  EXPECT_EQ(checked_align_up(kMax, 1), kMax);
  EXPECT_EQ(checked_align_up(kMax - 4095, 4096), kMax - 4095);
  EXPECT_EQ(checked_align_up(kMax - 4094, 4096), std::nullopt);
  EXPECT_EQ(checked_align_up(kMax, 2), std::nullopt);
}

TEST(CheckedTest, TrustedAlignAgreesWithChecked) {
  for (std::uint64_t value = 0; value < 70; ++value) {
    for (std::uint64_t alignment = 1; alignment <= 64; alignment *= 2) {
      EXPECT_EQ(align_up(value, alignment), *checked_align_up(value, alignment));
      EXPECT_EQ(align_down(value, alignment), value / alignment * alignment);
    }
  }
}

TEST(CheckedTest, PowersOfTwo) {
  EXPECT_FALSE(is_power_of_two(0));
  EXPECT_TRUE(is_power_of_two(1));
  EXPECT_TRUE(is_power_of_two(std::uint64_t{1} << 63));
  EXPECT_FALSE(is_power_of_two(3));
  EXPECT_FALSE(is_power_of_two(kMax));
}

TEST(CheckedTest, CeilDivDoesNotOverflow) {
  EXPECT_EQ(ceil_div(0, 7), 0U);
  EXPECT_EQ(ceil_div(14, 7), 2U);
  EXPECT_EQ(ceil_div(15, 7), 3U);
  EXPECT_EQ(ceil_div(kMax, 2), (kMax >> 1) + 1);
  EXPECT_EQ(ceil_div(kMax, kMax), 1U);
}

}  // namespace
}  // namespace ingot
