// Decoding, with values from the types' specifications, and the comparison of values.
#include "tools/diff/elements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tools/diff/values.h"

namespace ingot::tools {
namespace {

using ::testing::ElementsAre;

template <typename T>
Bytes raw(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

std::vector<double> decoded(DType dtype, Bytes run, std::size_t count) {
  std::vector<Number> numbers(count * static_cast<std::size_t>(components(dtype)));
  decode(dtype, run, 0, numbers);
  return {numbers.begin(), numbers.end()};
}

double code(DType dtype, std::uint8_t byte) {
  const std::vector<std::uint8_t> run = {byte};
  return decoded(dtype, raw(run), 1)[0];
}

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Decode, Half) {
  const std::vector<std::uint16_t> run = {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x0400, 0x7C00, 0x8000};
  EXPECT_THAT(decoded(DType::kFloat16, raw(run), 7),
              ElementsAre(1, -2, 65504, std::ldexp(1.0, -24), std::ldexp(1.0, -14), kInf, 0));
  const std::vector<std::uint16_t> nan = {0x7C01};
  EXPECT_TRUE(std::isnan(decoded(DType::kFloat16, raw(nan), 1)[0]));
}

TEST(Decode, BFloat16) {
  const std::vector<std::uint16_t> run = {0x3F80, 0xC000, 0x7F80, 0x0001};
  EXPECT_THAT(decoded(DType::kBFloat16, raw(run), 4),
              ElementsAre(1, -2, kInf, std::ldexp(1.0, -133)));
}

// OCP 8-bit floating point specification, table 2.
TEST(Decode, Float8E4M3FN) {
  EXPECT_EQ(code(DType::kFloat8E4M3FN, 0x7E), 448);
  EXPECT_EQ(code(DType::kFloat8E4M3FN, 0x08), std::ldexp(1.0, -6));
  EXPECT_EQ(code(DType::kFloat8E4M3FN, 0x01), std::ldexp(1.0, -9));
  EXPECT_TRUE(std::isnan(code(DType::kFloat8E4M3FN, 0x7F)));
  EXPECT_TRUE(std::isnan(code(DType::kFloat8E4M3FN, 0xFF)));
}

TEST(Decode, Float8E5M2) {
  EXPECT_EQ(code(DType::kFloat8E5M2, 0x7B), 57344);
  EXPECT_EQ(code(DType::kFloat8E5M2, 0x01), std::ldexp(1.0, -16));
  EXPECT_EQ(code(DType::kFloat8E5M2, 0xFC), -kInf);
  EXPECT_TRUE(std::isnan(code(DType::kFloat8E5M2, 0x7D)));
}

TEST(Decode, Float8Fnuz) {
  EXPECT_EQ(code(DType::kFloat8E4M3FNUZ, 0x7F), 240);
  EXPECT_EQ(code(DType::kFloat8E4M3FNUZ, 0x01), std::ldexp(1.0, -10));
  EXPECT_TRUE(std::isnan(code(DType::kFloat8E4M3FNUZ, 0x80)));
  EXPECT_EQ(code(DType::kFloat8E5M2FNUZ, 0x7F), 57344);
  EXPECT_TRUE(std::isnan(code(DType::kFloat8E5M2FNUZ, 0x80)));
}

TEST(Decode, Float8E8M0) {
  EXPECT_EQ(code(DType::kFloat8E8M0FNU, 127), 1);
  EXPECT_EQ(code(DType::kFloat8E8M0FNU, 0), std::ldexp(1.0, -127));
  EXPECT_TRUE(std::isnan(code(DType::kFloat8E8M0FNU, 0xFF)));
}

// OCP microscaling formats specification, 5.3.
TEST(Decode, Float4IsPackedLowNibbleFirst) {
  const std::vector<std::uint8_t> run = {0x10, 0x32, 0x54, 0x76, 0xF8};
  EXPECT_THAT(decoded(DType::kFloat4E2M1FN, raw(run), 10),
              ElementsAre(0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -6));
}

TEST(Decode, Float6IsPackedInLittleEndianBitOrder) {
  // 011111 = 7.5, 100001 = -0.125, 000000, 001000 = 1: four codes, three bytes.
  const std::vector<std::uint8_t> run = {0x5F, 0x08, 0x20};
  EXPECT_THAT(decoded(DType::kFloat6E2M3FN, raw(run), 4), ElementsAre(7.5, -0.125, 0, 1));
  EXPECT_EQ(decoded(DType::kFloat6E3M2FN, raw(run), 1)[0], 28);
}

TEST(Decode, Integers) {
  const std::vector<std::uint8_t> nibbles = {0x8F};
  EXPECT_THAT(decoded(DType::kInt4, raw(nibbles), 2), ElementsAre(-1, -8));
  EXPECT_THAT(decoded(DType::kUInt4, raw(nibbles), 2), ElementsAre(15, 8));
  const std::vector<std::int64_t> big = {std::numeric_limits<std::int64_t>::min()};
  EXPECT_EQ(decoded(DType::kInt64, raw(big), 1)[0], -std::ldexp(1.0, 63));
  const std::vector<std::uint8_t> byte = {0xFF};
  EXPECT_EQ(decoded(DType::kQInt8, raw(byte), 1)[0], -1);
  EXPECT_EQ(decoded(DType::kQUInt8, raw(byte), 1)[0], 255);
}

TEST(Decode, ComplexIsTwoNumbers) {
  const std::vector<float> run = {1, 2, 3, 4};
  EXPECT_THAT(decoded(DType::kComplex64, raw(run), 2), ElementsAre(1, 2, 3, 4));
  const std::vector<std::uint16_t> half = {0x3C00, 0xC000};
  EXPECT_THAT(decoded(DType::kComplex32, raw(half), 1), ElementsAre(1, -2));
}

TEST(Decode, EveryDtypeHasAnAnswer) {
  const std::vector<std::uint8_t> zeros(64, 0);
  for (int n = kFirstDType; n <= kLastDType; ++n) {
    const auto dtype = static_cast<DType>(n);
    if (components(dtype) == 0) continue;
    const double expected = dtype == DType::kFloat8E8M0FNU ? std::ldexp(1.0, -127) : 0;
    for (const double value : decoded(dtype, raw(zeros), 4)) {
      EXPECT_EQ(value, expected) << dtype_name(dtype);
    }
  }
}

template <typename T>
ValueDiff compared(DType dtype, const std::vector<T>& a, const std::vector<T>& b) {
  ValueComparer comparer(dtype, dtype);
  comparer.add(raw(a), raw(b), a.size());
  return comparer.result();
}

TEST(Values, CountsAndMeasures) {
  const ValueDiff diff = compared<float>(DType::kFloat32, {1, 2, 3, 4}, {1, 2.5, 3, 3});
  EXPECT_EQ(diff.elements, 4u);
  EXPECT_EQ(diff.differing, 2u);
  EXPECT_EQ(diff.max_abs, 1);
  EXPECT_EQ(diff.max_at, 3u);
}

TEST(Values, IntegersAreExact) {
  const std::int64_t big = (std::int64_t{1} << 62) + 1;
  EXPECT_EQ(compared<std::int64_t>(DType::kInt64, {big}, {big + 1}).max_abs, 1);
  EXPECT_EQ(compared<std::uint64_t>(DType::kUInt64, {~std::uint64_t{0}}, {0}).max_abs,
            std::ldexp(Number{1}, 64) - 1);
}

TEST(Values, NansAreCountedApart) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const ValueDiff diff = compared<float>(DType::kFloat32, {nan, nan, 1, 5}, {nan, 1, nan, 7});
  EXPECT_EQ(diff.differing, 3u);  // equal bits are equal, NaN or not
  EXPECT_EQ(diff.nan, 2u);
  EXPECT_EQ(diff.max_abs, 2);
}

TEST(Values, NansOfDifferentBitsDiffer) {
  const ValueDiff diff = compared<std::uint32_t>(DType::kFloat32, {0x7FC00000}, {0x7FC00001});
  EXPECT_EQ(diff.differing, 1u);
  EXPECT_EQ(diff.nan, 1u);
  EXPECT_FALSE(diff.has_max);
}

TEST(Values, InfinitiesAreInfinitelyFar) {
  const auto inf = std::numeric_limits<float>::infinity();
  const ValueDiff diff = compared<float>(DType::kFloat32, {inf, inf}, {inf, 1});
  EXPECT_EQ(diff.differing, 1u);
  EXPECT_TRUE(std::isinf(diff.max_abs));
}

TEST(Values, SignedZerosDifferByNothing) {
  const ValueDiff diff = compared<float>(DType::kFloat32, {0.0f}, {-0.0f});
  EXPECT_EQ(diff.differing, 1u);
  EXPECT_TRUE(diff.has_max);
  EXPECT_EQ(diff.max_abs, 0);
}

TEST(Values, ComplexDifferencesAreModuli) {
  ValueComparer comparer(DType::kComplex64, DType::kComplex64);
  const std::vector<float> a = {0, 0, 1, 1};
  const std::vector<float> b = {3, 4, 1, 1};
  comparer.add(raw(a), raw(b), 2);
  EXPECT_EQ(comparer.result().differing, 1u);
  EXPECT_EQ(comparer.result().max_abs, 5);
}

TEST(Values, SubByteElementsAreCountedOneByOne) {
  ValueComparer comparer(DType::kInt4, DType::kInt4);
  const std::vector<std::uint8_t> a = {0x21, 0x43};
  const std::vector<std::uint8_t> b = {0x21, 0x53};
  comparer.add(raw(a), raw(b), 4);
  EXPECT_EQ(comparer.result().differing, 1u);
  EXPECT_EQ(comparer.result().max_at, 3u);
}

TEST(Values, BitsAreNoNumbers) {
  const ValueDiff diff = compared<std::uint8_t>(DType::kBits8, {1, 2}, {1, 3});
  EXPECT_EQ(diff.differing, 1u);
  EXPECT_FALSE(diff.has_max);
}

TEST(Values, DifferentTypesCompareByValue) {
  ValueComparer comparer(DType::kFloat32, DType::kBFloat16);
  const std::vector<float> a = {1, 1.001f, std::nanf("")};
  const std::vector<std::uint16_t> b = {0x3F80, 0x3F80, 0x7FC0};
  comparer.add(raw(a), raw(b), 3);
  EXPECT_EQ(comparer.result().differing, 1u);
  EXPECT_EQ(comparer.result().nan, 0u);
  EXPECT_NEAR(static_cast<double>(comparer.result().max_abs), 0.001, 1e-6);
}

TEST(Values, SkippedPartsCountAsEqual) {
  ValueComparer comparer(DType::kUInt8, DType::kUInt8);
  comparer.skip(1000);
  const std::vector<std::uint8_t> a = {1};
  const std::vector<std::uint8_t> b = {2};
  comparer.add(raw(a), raw(b), 1);
  EXPECT_EQ(comparer.result().elements, 1001u);
  EXPECT_EQ(comparer.result().max_at, 1000u);
}

}  // namespace
}  // namespace ingot::tools
