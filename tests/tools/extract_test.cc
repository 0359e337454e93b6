#include "tools/extract/extract.h"

#include "tests/support/status_matchers.h"
#include "tools/extract/npy.h"
#include "tools/extract/slice_spec.h"

namespace ingot::tools {
namespace {

using ::ingot::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kShape[] = {10, 20, 5};

TEST(SliceSpec, TakesRangesAndIndices) {
  ASSERT_OK_AND_ASSIGN(const SliceSpec spec, parse_slice("0:10, :, 3", kShape));
  EXPECT_THAT(spec.slice.begin, ElementsAre(0, 0, 3));
  EXPECT_THAT(spec.slice.end, ElementsAre(10, 20, 4));
  EXPECT_THAT(spec.shape, ElementsAre(10, 20));
}

TEST(SliceSpec, CountsFromTheEnd) {
  ASSERT_OK_AND_ASSIGN(const SliceSpec spec, parse_slice("-1,-5:-2", kShape));
  EXPECT_THAT(spec.slice.begin, ElementsAre(9, 15, 0));
  EXPECT_THAT(spec.slice.end, ElementsAre(10, 18, 5));
  EXPECT_THAT(spec.shape, ElementsAre(3, 5));
}

TEST(SliceSpec, MayBeEmpty) {
  ASSERT_OK_AND_ASSIGN(const SliceSpec spec, parse_slice("4:4", kShape));
  EXPECT_THAT(spec.shape, ElementsAre(0, 20, 5));
}

TEST(SliceSpec, RefusesWhatIsOutside) {
  for (const std::string_view text : {"10", "-11", "0:11", "5:4", "-11:", "11:", "0,0,0,0"}) {
    EXPECT_THAT(parse_slice(text, kShape), StatusIs(Code::kInvalidArgument)) << text;
  }
  EXPECT_THAT(parse_slice("0", {}), StatusIs(Code::kInvalidArgument, HasSubstr("0 dimensions")));
}

TEST(SliceSpec, RefusesWhatItDoesNotUnderstand) {
  for (const std::string_view text :
       {"", "a", "1.5", "0:x", "0:10:2", "::", ",", "0,", "[0]", "99999999999999999999"}) {
    EXPECT_THAT(parse_slice(text, kShape), StatusIs(Code::kInvalidArgument)) << text;
  }
}

TEST(Npy, HeaderIsNumPys) {
  // What numpy.save() writes for zeros((2, 3), float32).
  const std::string header = npy_header(DType::kFloat32, std::array<std::int64_t, 2>{2, 3});
  EXPECT_EQ(header.size() % 64, 0u);
  EXPECT_EQ(header.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_THAT(
      header.substr(10),
      ::testing::StartsWith("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } "));
  EXPECT_EQ(header.back(), '\n');
}

TEST(Npy, WritesTuplesAsPythonDoes) {
  EXPECT_THAT(npy_header(DType::kBool, {}), HasSubstr("'|b1'"));
  EXPECT_THAT(npy_header(DType::kBool, {}), HasSubstr("'shape': (), "));
  EXPECT_THAT(npy_header(DType::kInt8, std::array<std::int64_t, 1>{7}), HasSubstr("(7,), "));
}

TEST(Npy, FitsTheLargestRank) {
  const std::vector<std::int64_t> shape(64, 1);
  EXPECT_EQ(npy_header(DType::kInt8, shape).size() % 64, 0u);
}

TEST(Npy, HasNoBFloat16) { EXPECT_EQ(npy_type(DType::kBFloat16), std::nullopt); }

TEST(FileName, KeepsPlainNames) {
  EXPECT_EQ(file_name_of("layers.0.attn-q_proj.weight"), "layers.0.attn-q_proj.weight");
}

TEST(FileName, NeverLeavesTheFolder) {
  EXPECT_EQ(file_name_of("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
  EXPECT_EQ(file_name_of(".."), "%2E.");
  EXPECT_EQ(file_name_of("."), "%2E");
  EXPECT_EQ(file_name_of("a/b c\xC3\xA9"), "a%2Fb%20c%C3%A9");
}

}  // namespace
}  // namespace ingot::tools
