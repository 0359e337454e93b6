#include "format/layout.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/status_matchers.h"

namespace ingot::format {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(AlignmentTest, FollowsSize) {
  EXPECT_EQ(storage_alignment(0, 4096), 16u);
  EXPECT_EQ(storage_alignment(1, 4096), 16u);
  EXPECT_EQ(storage_alignment(511, 4096), 16u);
  EXPECT_EQ(storage_alignment(512, 4096), 32u);
  EXPECT_EQ(storage_alignment(1024, 4096), 64u);
  EXPECT_EQ(storage_alignment(4095, 4096), 128u);
  EXPECT_EQ(storage_alignment(4096, 4096), 256u);
  EXPECT_EQ(storage_alignment(65535, 4096), 256u);
  EXPECT_EQ(storage_alignment(65536, 4096), 4096u);
  EXPECT_EQ(storage_alignment(65536, 1 << 21), std::uint64_t{1} << 21);
  EXPECT_EQ(storage_alignment(~std::uint64_t{0}, 8192), 8192u);
}

TEST(DataLayoutTest, PlacesOneAfterAnother) {
  DataLayout layout(65536, 4096);
  PlacedStorage a;
  PlacedStorage b;
  PlacedStorage c;
  PlacedStorage d;
  ASSERT_TRUE(layout.place(100, &a));
  ASSERT_TRUE(layout.place(0, &b));
  ASSERT_TRUE(layout.place(65537, &c));
  ASSERT_TRUE(layout.place(16, &d));
  EXPECT_EQ(a.offset, 4096u);
  EXPECT_EQ(b.offset, 4208u);  // 4196, to a multiple of 16
  EXPECT_EQ(c.offset, 8192u);
  EXPECT_EQ(d.offset, 73744u);  // 73729, to a multiple of 16
  EXPECT_EQ(a.first_chunk, 0u);
  EXPECT_EQ(b.first_chunk, 1u);
  EXPECT_EQ(c.first_chunk, 1u);  // the empty one has no chunk
  EXPECT_EQ(d.first_chunk, 3u);
  EXPECT_EQ(layout.chunks(), 4u);
  EXPECT_EQ(layout.end(), 73760u);
  EXPECT_EQ(layout.padding(), 12u + 3984u + 15u);
}

TEST(DataLayoutTest, NothingEndsWhereDataBegins) {
  const DataLayout layout(1 << 20, 4096);
  EXPECT_EQ(layout.end(), 4096u);
  EXPECT_EQ(layout.chunks(), 0u);
}

// design: 100,000 tensors of 1 KiB cost less than 5 % padding, a 7B model less than 0.1 %.
TEST(DataLayoutTest, ManySmallStoragesCostLittlePadding) {
  for (const std::uint64_t bytes : {1000u, 1024u, 1100u, 2048u}) {
    DataLayout layout(1 << 20, 4096);
    PlacedStorage placed;
    for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(layout.place(bytes, &placed));
    EXPECT_LT(static_cast<double>(layout.padding()), 0.05 * 100'000 * static_cast<double>(bytes))
        << bytes;
  }
}

TEST(DataLayoutTest, AlignmentNeverCostsMoreThanASixteenth) {
  for (std::uint64_t bytes = 512; bytes < 70'000; bytes += 7) {
    DataLayout layout(1 << 20, 4096);
    PlacedStorage placed;
    ASSERT_TRUE(layout.place(1, &placed));
    ASSERT_TRUE(layout.place(bytes, &placed));
    EXPECT_LE(layout.padding(), bytes / 16) << bytes;
  }
}

TEST(DataLayoutTest, SevenBillionParameters) {
  DataLayout layout(1 << 20, 4096);
  std::uint64_t data = 0;
  PlacedStorage placed;
  for (int layer = 0; layer < 32; ++layer) {
    for (const std::uint64_t elements :
         {4096u * 4096u, 4096u * 4096u, 4096u * 4096u, 4096u * 4096u, 4096u * 11008u,
          4096u * 11008u, 4096u * 11008u, 4096u, 4096u}) {
      ASSERT_TRUE(layout.place(2 * elements, &placed));
      data += 2 * elements;
    }
  }
  EXPECT_LT(static_cast<double>(layout.padding()), 0.001 * static_cast<double>(data));
}

TEST(DataLayoutTest, RefusesOffsetsBeyond63Bits) {
  DataLayout layout(1 << 20, 4096);
  PlacedStorage placed;
  EXPECT_FALSE(layout.place(~std::uint64_t{0}, &placed));
  EXPECT_FALSE(layout.place(std::uint64_t{1} << 63, &placed));
  EXPECT_TRUE(layout.place((std::uint64_t{1} << 63) - 1 - 4096, &placed));
  EXPECT_EQ(layout.end(), (std::uint64_t{1} << 63) - 1);
  EXPECT_TRUE(!layout.place(1, &placed)) << "no room is left";
}

TEST(TailLayoutTest, RegionsAreWholePages) {
  ASSERT_OK_AND_ASSIGN(const TailLayout tail, tail_layout(73760, 4, false, 1000));
  EXPECT_EQ(tail.digests_offset, 77824u);
  EXPECT_EQ(tail.digests_bytes, 64u);
  EXPECT_EQ(tail.index_offset, 81920u);
  EXPECT_EQ(tail.index_bytes, 1000u);
  EXPECT_EQ(tail.second_header_offset, 86016u);
  EXPECT_EQ(tail.file_bytes, 90112u);
}

TEST(TailLayoutTest, EmptyFile) {
  ASSERT_OK_AND_ASSIGN(const TailLayout tail, tail_layout(4096, 0, false, 100));
  EXPECT_EQ(tail.digests_offset, 4096u);
  EXPECT_EQ(tail.index_offset, 4096u);
  EXPECT_EQ(tail.file_bytes, 12288u);
}

TEST(TailLayoutTest, ShaColumnTakes32BytesMore) {
  ASSERT_OK_AND_ASSIGN(const TailLayout tail, tail_layout(4096, 100, true, 100));
  EXPECT_EQ(tail.digests_bytes, 4800u);
  EXPECT_EQ(tail.index_offset, 4096u + 8192u);
}

// Rule F-13.
TEST(TailLayoutTest, RefusesOffsetsBeyond63Bits) {
  constexpr std::uint64_t kTop = std::uint64_t{1} << 63;
  EXPECT_THAT(tail_layout(~std::uint64_t{0}, 0, false, 1), StatusIs(Code::kRejected));
  EXPECT_THAT(tail_layout(kTop - 4095, 0, false, 1), StatusIs(Code::kRejected));
  EXPECT_THAT(tail_layout(4096, kTop, false, 1), StatusIs(Code::kRejected));
  EXPECT_THAT(tail_layout(4096, ~std::uint64_t{0} / 16, false, 1), StatusIs(Code::kRejected));
  EXPECT_THAT(tail_layout(kTop - 2 * 4096, 0, false, 1), StatusIs(Code::kRejected));
  EXPECT_THAT(tail_layout(kTop - 3 * 4096, 0, false, 1), IsOk());
}

}  // namespace
}  // namespace ingot::format
