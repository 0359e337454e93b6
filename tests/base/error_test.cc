#include "base/error.h"

#include <cerrno>
#include <limits>

#include "tests/support/status_matchers.h"

namespace ingot {
namespace {

using ::ingot::testing::StatusIs;
using ::testing::StartsWith;

std::string text(const Status& status) { return std::string(status.message()); }

TEST(ErrorTest, WhatAlone) {
  const Status status = make_error(Code::kInternal, "broken");
  EXPECT_EQ(status.code(), Code::kInternal);
  EXPECT_EQ(text(status), "broken");
}

TEST(ErrorTest, AllParts) {
  const Status status = make_error(Code::kChecksumMismatch, "digest differs")
                            .file("m.ingot")
                            .at(Region::kData, 4096, 8192)
                            .tensor("w1")
                            .chunk(16, 128)
                            .expected("aa")
                            .found("bb")
                            .advice("restore it");
  EXPECT_EQ(text(status),
            "m.ingot: digest differs in the data: tensor \"w1\" chunk 17/128 bytes [4096, 8192): "
            "expected aa, found bb (restore it)");
  EXPECT_EQ(status.location().region, Region::kData);
  EXPECT_EQ(status.location().tensor, "w1");
  EXPECT_EQ(status.location().chunk, 16U);
  EXPECT_EQ(status.location().begin, 4096U);
  EXPECT_EQ(status.location().end, 8192U);
}

TEST(ErrorTest, FoundWithoutExpected) {
  EXPECT_EQ(text(make_error(Code::kRejected, "rank").found(std::uint64_t{65})), "rank: found 65");
}

TEST(ErrorTest, NumbersAreDecimal) {
  const Status status = make_error(Code::kTruncated, "length")
                            .expected(std::uint64_t{10})
                            .found(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(text(status), "length: expected 10, found 18446744073709551615");
}

TEST(ErrorTest, RegionWithoutRange) {
  EXPECT_EQ(text(make_error(Code::kCorrupt, "damage").at(Region::kIndex)), "damage in the index");
}

TEST(ErrorTest, OsErrorIsKeptAndSpelledOut) {
  const Status status = make_error(Code::kIoError, "cannot open").file("f").os_error(ENOENT);
  EXPECT_EQ(status.os_error(), ENOENT);
  EXPECT_EQ(text(status), "f: cannot open: No such file or directory");
}

TEST(ErrorTest, BecomesAResult) {
  const Result<int> result = make_error(Code::kNotFound, "no such tensor").tensor("w");
  EXPECT_THAT(result, StatusIs(Code::kNotFound, StartsWith("no such tensor")));
}

TEST(ErrorTest, UnknownErrnoHasAText) { EXPECT_FALSE(os_error_text(123456).empty()); }

TEST(ErrorTest, Hex) {
  EXPECT_EQ(hex(0), "0x0");
  EXPECT_EQ(hex(0xABCDEF), "0xabcdef");
  EXPECT_EQ(hex(std::numeric_limits<std::uint64_t>::max()), "0xffffffffffffffff");
}

TEST(ErrorTest, HumanBytes) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(std::uint64_t{1} << 20), "1.0 MiB");
  EXPECT_EQ(human_bytes(std::uint64_t{5} << 40), "5.0 TiB");
  EXPECT_EQ(human_bytes(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

}  // namespace
}  // namespace ingot
