#include "ingot/status.h"

#include <array>
#include <memory>
#include <set>
#include <string>

#include "ingot/exceptions.h"

#include "tests/support/status_matchers.h"

namespace ingot {
namespace {

using ::ingot::testing::IsOk;
using ::ingot::testing::StatusIs;
using ::testing::HasSubstr;

constexpr std::array kCodes = {
    Code::kOk,          Code::kInvalidArgument, Code::kNotFound,          Code::kAlreadyExists,
    Code::kIoError,     Code::kTruncated,       Code::kCorrupt,           Code::kChecksumMismatch,
    Code::kUnsupported, Code::kRejected,        Code::kResourceExhausted, Code::kDeviceError,
    Code::kCancelled,   Code::kCommitUncertain, Code::kInternal};

TEST(StatusTest, DefaultIsOkAndEmpty) {
  const Status status;
  EXPECT_THAT(status, IsOk());
  EXPECT_EQ(status.code(), Code::kOk);
  EXPECT_EQ(status.message(), "");
  EXPECT_EQ(status.os_error(), 0);
  EXPECT_EQ(status.location().region, Region::kNone);
  EXPECT_EQ(status.to_string(), "ok");
}

TEST(StatusTest, CodeOkWithAMessageIsStillOk) { EXPECT_THAT(Status(Code::kOk, "text"), IsOk()); }

TEST(StatusTest, KeepsWhatItWasMadeOf) {
  const Status status(Code::kCorrupt, "damaged", Location{Region::kIndex, "w", 3, 10, 20}, 5);
  EXPECT_EQ(status.code(), Code::kCorrupt);
  EXPECT_EQ(status.message(), "damaged");
  EXPECT_EQ(status.location().region, Region::kIndex);
  EXPECT_EQ(status.location().tensor, "w");
  EXPECT_EQ(status.location().chunk, 3U);
  EXPECT_EQ(status.location().begin, 10U);
  EXPECT_EQ(status.location().end, 20U);
  EXPECT_EQ(status.os_error(), 5);
  EXPECT_EQ(status.to_string(), "corrupt: damaged");
}

TEST(StatusTest, CopiesOutliveTheOriginal) {
  Status copy;
  {
    const Status original(Code::kNotFound, "gone");
    copy = original;
  }
  EXPECT_THAT(copy, StatusIs(Code::kNotFound, HasSubstr("gone")));
}

TEST(CodeTest, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Code code : kCodes) names.insert(code_name(code));
  EXPECT_EQ(names.size(), kCodes.size());
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_FALSE(names.contains(""));
}

TEST(CodeTest, ExitCodesAreThoseOfTheDesign) {
  EXPECT_EQ(exit_code(Code::kOk), 0);
  EXPECT_EQ(exit_code(Code::kCorrupt), 2);
  EXPECT_EQ(exit_code(Code::kChecksumMismatch), 2);
  EXPECT_EQ(exit_code(Code::kTruncated), 3);
  EXPECT_EQ(exit_code(Code::kIoError), 4);
  EXPECT_EQ(exit_code(Code::kNotFound), 4);
  EXPECT_EQ(exit_code(Code::kAlreadyExists), 4);
  EXPECT_EQ(exit_code(Code::kResourceExhausted), 4);
  EXPECT_EQ(exit_code(Code::kDeviceError), 4);
  EXPECT_EQ(exit_code(Code::kCancelled), 4);
  EXPECT_EQ(exit_code(Code::kUnsupported), 5);
  EXPECT_EQ(exit_code(Code::kRejected), 6);
  EXPECT_EQ(exit_code(Code::kCommitUncertain), 8);
  EXPECT_EQ(exit_code(Code::kInvalidArgument), 64);
  EXPECT_EQ(exit_code(Code::kInternal), 70);
}

TEST(CodeTest, OnlySuccessExitsWithZero) {
  for (const Code code : kCodes) EXPECT_EQ(exit_code(code) == 0, code == Code::kOk);
}

TEST(RegionTest, EveryRegionHasANameOfItsOwn) {
  std::set<std::string_view> names;
  constexpr std::array kRegions = {Region::kNone,  Region::kFile,        Region::kHeader,
                                   Region::kData,  Region::kPadding,     Region::kDigestTable,
                                   Region::kIndex, Region::kSecondHeader};
  for (const Region region : kRegions) names.insert(region_name(region));
  EXPECT_EQ(names.size(), kRegions.size());
}

TEST(ResultTest, HoldsAValueOrAStatus) {
  const Result<int> seven = 7;
  EXPECT_THAT(seven, IsOk());
  EXPECT_EQ(*seven, 7);
  const Result<int> none = Status(Code::kNotFound, "no number");
  EXPECT_THAT(none, StatusIs(Code::kNotFound));
}

TEST(ResultTest, AnOkStatusIsNoValue) {
  const Result<int> wrong = Status();
  EXPECT_THAT(wrong, StatusIs(Code::kInternal));
}

TEST(ResultTest, ValuesMayBeMoveOnly) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> value = *std::move(result);
  EXPECT_EQ(*value, 7);
}

Status fails_when(bool fail) { return fail ? Status(Code::kIoError, "failed") : Status(); }
Result<int> number_unless(bool fail) {
  if (fail) return Status(Code::kIoError, "no number");
  return 7;
}
Result<int> one_more(bool first, bool second) {
  INGOT_RETURN_IF_ERROR(fails_when(first));
  INGOT_ASSIGN_OR_RETURN(const int number, number_unless(second));
  return number + 1;
}

TEST(ResultTest, MacrosHandOnTheFirstError) {
  EXPECT_THAT(one_more(true, true), StatusIs(Code::kIoError, HasSubstr("failed")));
  EXPECT_THAT(one_more(false, true), StatusIs(Code::kIoError, HasSubstr("no number")));
  EXPECT_EQ(*one_more(false, false), 8);
}

TEST(ExceptionsTest, OrThrowUnwrapsOrThrows) {
  EXPECT_EQ(or_throw(number_unless(false)), 7);
  EXPECT_NO_THROW(or_throw(Status()));
  try {
    or_throw(number_unless(true));
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.status().code(), Code::kIoError);
    EXPECT_STREQ(error.what(), "I/O error: no number");
  }
}

}  // namespace
}  // namespace ingot
