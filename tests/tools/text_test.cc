#include "tools/cli/text.h"

#include <gtest/gtest.h>

#include <optional>

namespace ingot::tools {
namespace {

TEST(ParseBytes, TakesUnits) {
  EXPECT_EQ(parse_bytes("4096"), 4096u);
  EXPECT_EQ(parse_bytes("64KiB"), 65536u);
  EXPECT_EQ(parse_bytes("5GB"), 5'000'000'000u);
  EXPECT_EQ(parse_bytes("1.5GiB"), 1610612736u);
  EXPECT_EQ(parse_bytes("2TiB"), std::uint64_t{2} << 40);
  EXPECT_EQ(parse_bytes("0"), 0u);
}

TEST(ParseBytes, RefusesTheRest) {
  for (const std::string_view text : {"", "GB", "-1", "5 GB", "5gb", "5G", "1e3", "0x10", "nan",
                                      "inf", "1.5", "1.0000001KB", "99999999TiB", "1KiB "}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

TEST(Text, Counts) {
  EXPECT_EQ(counted(1, "tensor"), "1 tensor");
  EXPECT_EQ(counted(0, "tensor"), "0 tensors");
}

TEST(Text, Shapes) {
  const std::int64_t shape[] = {2, 3};
  EXPECT_EQ(shape_text(shape), "[2, 3]");
  EXPECT_EQ(shape_text({}), "[]");
}

}  // namespace
}  // namespace ingot::tools
