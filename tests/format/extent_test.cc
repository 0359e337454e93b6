#include "format/extent.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace ingot::format {
namespace {

using Dims = std::vector<std::int64_t>;
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

struct Case {
  DType dtype;
  Dims shape;
  Dims strides;
  std::uint64_t numel;
  std::uint64_t bytes;
};

TEST(ExtentTest, CountsElementsAndBytes) {
  const std::vector<Case> cases = {
      {DType::kFloat32, {}, {}, 1, 4},                          // 0-d
      {DType::kFloat32, {3, 4}, {}, 12, 48},                    // row-major
      {DType::kComplex128, {2}, {}, 2, 32},                     //
      {DType::kFloat32, {0}, {}, 0, 0},                         // empty
      {DType::kFloat32, {5, 0, 7}, {}, 0, 0},                   //
      {DType::kInt8, {2, 3}, {1, 2}, 6, 6},                     // column-major
      {DType::kFloat32, {2, 3}, {10, 1}, 6, (10 + 2 + 1) * 4},  // a slice of wider rows
      {DType::kFloat32, {4, 5}, {0, 0}, 20, 4},                 // expanded from one element
      {DType::kFloat32, {1, 3}, {kMax, 1}, 3, 12},  // the stride of one step is not taken
      {DType::kFloat32, {0, 3}, {3, 1}, 0, 0},      //
      {DType::kInt4, {3, 2}, {}, 6, 3},             // packed
      {DType::kFloat6E2M3FN, {4}, {}, 4, 3},        //
      {DType::kQUInt2x4, {8}, {}, 8, 2},            //
  };
  for (const Case& c : cases) {
    const auto extent = tensor_extent(c.dtype, c.shape, c.strides);
    ASSERT_TRUE(extent) << dtype_name(c.dtype);
    EXPECT_EQ(extent->numel, c.numel);
    EXPECT_EQ(extent->bytes, c.bytes);
  }
}

TEST(ExtentTest, LargestThatFits) {
  const std::int64_t most = (std::int64_t{1} << 61) - 1;
  const auto extent = tensor_extent(DType::kUInt8, Dims{most}, {});
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->bytes, static_cast<std::uint64_t>(most));
  EXPECT_FALSE(tensor_extent(DType::kUInt8, Dims{most + 1}, {}));
}

// F-26, F-56
TEST(ExtentTest, RefusesWhatIsNegativeOrOverflows) {
  EXPECT_FALSE(tensor_extent(DType::kFloat32, Dims{-1}, {}));
  EXPECT_FALSE(tensor_extent(DType::kFloat32, Dims{0, -1}, {}));
  EXPECT_FALSE(tensor_extent(DType::kFloat32, Dims{2, 2}, Dims{-1, 1}));
  EXPECT_FALSE(tensor_extent(DType::kFloat32, Dims{kMax, 3}, {}));
  EXPECT_FALSE(tensor_extent(DType::kFloat32, Dims{1 << 30, 1 << 30, 1 << 30}, {}));
  // 2^64 - 1, 2^64 - 1, 2 wraps to 2 elements when the product is not checked.
  EXPECT_FALSE(tensor_extent(DType::kUInt8, Dims{-1, -1, 2}, {}));
  EXPECT_FALSE(tensor_extent(DType::kFloat32, Dims{3}, Dims{kMax}));
  EXPECT_FALSE(tensor_extent(DType::kFloat32, Dims{2, 2, 2}, Dims{kMax, kMax, kMax}));
  EXPECT_FALSE(tensor_extent(DType::kFloat64, Dims{2}, Dims{kMax}));
  EXPECT_FALSE(tensor_extent(static_cast<DType>(0), Dims{1}, {}));
}

TEST(ExtentTest, ZeroDimensionsHideNoOverflow) {
  EXPECT_FALSE(tensor_extent(DType::kFloat32, Dims{0, kMax, kMax}, {}));
  EXPECT_FALSE(tensor_extent(DType::kFloat32, Dims{0, 3}, Dims{1, kMax}));
}

TEST(ExtentTest, PackedTypesFillBytesAndHaveNoStrides) {
  EXPECT_FALSE(tensor_extent(DType::kInt4, Dims{3}, {}));
  EXPECT_FALSE(tensor_extent(DType::kInt4, {}, {}));
  EXPECT_FALSE(tensor_extent(DType::kFloat6E3M2FN, Dims{2}, {}));
  EXPECT_FALSE(tensor_extent(DType::kInt4, Dims{2, 2}, Dims{1, 2}));
  EXPECT_TRUE(tensor_extent(DType::kInt4, Dims{0}, {}));
}

TEST(ExtentTest, StridesAreAsManyAsDimensions) {
  EXPECT_FALSE(tensor_extent(DType::kFloat32, Dims{2, 2}, Dims{1}));
  EXPECT_FALSE(tensor_extent(DType::kFloat32, {}, Dims{1}));
}

TEST(RowMajorTest, TellsOrderFromStrides) {
  EXPECT_TRUE(is_row_major(Dims{2, 3}, {}));
  EXPECT_TRUE(is_row_major({}, {}));
  EXPECT_TRUE(is_row_major(Dims{2, 3}, Dims{3, 1}));
  EXPECT_TRUE(is_row_major(Dims{2, 0, 3}, Dims{3, 3, 1}));  // as PyTorch has it
  EXPECT_FALSE(is_row_major(Dims{2, 3}, Dims{1, 2}));
  EXPECT_FALSE(is_row_major(Dims{2, 3}, Dims{4, 1}));
  EXPECT_FALSE(is_row_major(Dims{1, 3}, Dims{7, 1}));  // says more than row-major order
  EXPECT_FALSE(is_row_major(Dims{2, 3}, Dims{1}));
  EXPECT_FALSE(is_row_major(Dims{2}, Dims{-1}));
  EXPECT_FALSE(is_row_major(Dims{2, kMax, kMax, 3}, Dims{1, kMax, 3, 1}));
}

}  // namespace
}  // namespace ingot::format
