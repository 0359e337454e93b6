// One test a rule of the .safetensors header: every file here is a few bytes, written out.
#include <string>
#include <string_view>

#include "tests/support/status_matchers.h"
#include "tests/tools/safetensors_bytes.h"
#include "tools/safetensors/header.h"
#include "tools/safetensors/types.h"

namespace ingot::safetensors {
namespace {

using ::ingot::testing::IsOk;
using ::ingot::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Result<Header> parse(std::string_view header, std::string_view data = {}) {
  return parse_header(as_bytes(testing::safetensors(header, data)), "f.safetensors");
}

// A header with one tensor "a", described by `fields`.
Result<Header> parse_tensor(std::string_view fields, std::string_view data = {}) {
  return parse(R"({"a":{)" + std::string(fields) + "}}", data);
}

TEST(SafetensorsHeader, AcceptsATensor) {
  ASSERT_OK_AND_ASSIGN(
      const Header header,
      parse(R"({"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})", "01234567"));
  ASSERT_EQ(header.tensors.size(), 1u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[0].dtype, DType::kFloat32);
  EXPECT_THAT(header.tensors[0].shape, ElementsAre(2, 1));
  EXPECT_EQ(header.tensors[0].end, 8u);
  EXPECT_EQ(header.data_begin(), 8 + header.header_bytes);
  EXPECT_FALSE(header.metadata.has_value());
}

TEST(SafetensorsHeader, AcceptsNoTensors) {
  ASSERT_OK_AND_ASSIGN(const Header header, parse("{}"));
  EXPECT_TRUE(header.tensors.empty());
  EXPECT_EQ(header.data_bytes(), 0u);
}

TEST(SafetensorsHeader, AcceptsTrailingSpaces) { EXPECT_OK(parse("{}      ").status()); }

TEST(SafetensorsHeader, AcceptsA0dTensor) {
  ASSERT_OK_AND_ASSIGN(const Header header,
                       parse_tensor(R"("dtype":"U8","shape":[],"data_offsets":[0,1])", "x"));
  EXPECT_TRUE(header.tensors[0].shape.empty());
}

TEST(SafetensorsHeader, AcceptsEmptyTensors) {
  EXPECT_OK(parse_tensor(R"("dtype":"F64","shape":[4,0],"data_offsets":[0,0])").status());
}

TEST(SafetensorsHeader, AcceptsFieldsInAnyOrder) {
  EXPECT_OK(parse_tensor(R"("data_offsets":[0,1],"shape":[1],"dtype":"BOOL")", "x").status());
}

TEST(SafetensorsHeader, SortsTensorsByTheirData) {
  ASSERT_OK_AND_ASSIGN(const Header header,
                       parse(R"({"z":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
                             R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                             "xy"));
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[1].name, "z");
}

TEST(SafetensorsHeader, KeepsTheOrderOfEmptyTensorsAtOnePlace) {
  ASSERT_OK_AND_ASSIGN(const Header header,
                       parse(R"({"z":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                             R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"));
  EXPECT_EQ(header.tensors[0].name, "z");
}

TEST(SafetensorsHeader, KeepsMetadataInOrder) {
  ASSERT_OK_AND_ASSIGN(const Header header, parse(R"({"__metadata__":{"z":"1","a":"é\n"}})"));
  EXPECT_THAT(*header.metadata, ElementsAre(Pair("z", "1"), Pair("a", "é\n")));
}

TEST(SafetensorsHeader, TellsEmptyMetadataFromNone) {
  ASSERT_OK_AND_ASSIGN(const Header header, parse(R"({"__metadata__":{}})"));
  EXPECT_TRUE(header.metadata.has_value());
}

TEST(SafetensorsHeader, KnowsEveryDtypeOfTheReference) {
  for (const std::string_view name :
       {"BOOL",    "F4",          "F6_E2M3",     "F6_E3M2", "U8",  "I8",  "F8_E5M2", "F8_E4M3",
        "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16",     "U16", "F16", "BF16",    "I32",
        "U32",     "F32",         "C64",         "F64",     "I64", "U64"}) {
    const std::optional<DType> dtype = parse_type(name);
    ASSERT_TRUE(dtype.has_value()) << name;
    EXPECT_EQ(type_name(*dtype), name);
    const auto bytes = static_cast<std::size_t>(dtype_bits(*dtype));  // of 8 elements
    EXPECT_OK(parse_tensor(R"("dtype":")" + std::string(name) +
                               R"(","shape":[8],"data_offsets":[0,)" + std::to_string(bytes) + "]",
                           std::string(bytes, 'x'))
                  .status())
        << name;
  }
}

TEST(SafetensorsHeader, AcceptsSubByteTypesThatFillBytes) {
  EXPECT_OK(parse_tensor(R"("dtype":"F4","shape":[2,3],"data_offsets":[0,3])", "xxx").status());
  EXPECT_OK(parse_tensor(R"("dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3])", "xxx").status());
}

TEST(SafetensorsHeader, AcceptsEscapedNames) {
  ASSERT_OK_AND_ASSIGN(const Header header,
                       parse(R"({"\u00e9\"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"));
  EXPECT_EQ(header.tensors[0].name, "é\"");
}

// Refused: the file as a whole.

TEST(SafetensorsHeader, RefusesAFileWithoutALength) {
  EXPECT_THAT(parse_header(as_bytes("1234567")),
              StatusIs(Code::kTruncated, HasSubstr("too short")));
  EXPECT_THAT(parse_header({}), StatusIs(Code::kTruncated));
}

TEST(SafetensorsHeader, RefusesAHeaderOverTheLimit) {
  const std::uint64_t length = kMaxHeaderBytes + 1;
  std::string file(16, ' ');
  std::memcpy(file.data(), &length, sizeof length);
  EXPECT_THAT(parse_header_length(as_bytes(file), length + 8, "f"),
              StatusIs(Code::kRejected, HasSubstr("at most 100000000")));
  const std::uint64_t allowed = kMaxHeaderBytes;
  std::memcpy(file.data(), &allowed, sizeof allowed);
  EXPECT_OK(parse_header_length(as_bytes(file), allowed + 8, "f").status());
}

TEST(SafetensorsHeader, RefusesAFileThatEndsWithinItsHeader) {
  std::string file = testing::safetensors("{}  ");
  file.pop_back();
  EXPECT_THAT(parse_header(as_bytes(file)),
              StatusIs(Code::kTruncated, HasSubstr("within its header")));
}

TEST(SafetensorsHeader, RefusesTruncatedData) {
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[2],"data_offsets":[0,2])", "x"),
              StatusIs(Code::kTruncated, HasSubstr("expected 2 bytes of data, found 1")));
}

TEST(SafetensorsHeader, RefusesBytesAfterTheData) {
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[1],"data_offsets":[0,1])", "xy"),
              StatusIs(Code::kTruncated, HasSubstr("does not end where")));
  EXPECT_THAT(parse("{}", "x"), StatusIs(Code::kTruncated));
}

// Refused: the text.

TEST(SafetensorsHeader, RefusesAnEmptyHeader) {
  EXPECT_THAT(parse(""), StatusIs(Code::kCorrupt, HasSubstr("begin with '{'")));
}

TEST(SafetensorsHeader, RefusesSpaceBeforeTheObject) {
  EXPECT_THAT(parse(" {}"), StatusIs(Code::kCorrupt, HasSubstr("begin with '{'")));
}

TEST(SafetensorsHeader, RefusesAByteOrderMark) {
  EXPECT_THAT(parse("\xEF\xBB\xBF{}"), StatusIs(Code::kCorrupt, HasSubstr("begin with '{'")));
}

TEST(SafetensorsHeader, RefusesTrailingBytesThatAreNotSpaces) {
  for (const std::string_view tail : {"\n", "\t", "\r", "x", "{}x"}) {
    EXPECT_THAT(parse("{}" + std::string(tail)), StatusIs(Code::kCorrupt)) << tail;
  }
}

TEST(SafetensorsHeader, RefusesASecondObject) {
  EXPECT_THAT(parse("{}{}"), StatusIs(Code::kCorrupt, HasSubstr("not valid JSON")));
}

TEST(SafetensorsHeader, RefusesAZeroByte) {
  // The JSON parser would take it for the end and hide what follows.
  EXPECT_THAT(parse(std::string_view("{}\0{}", 5)),
              StatusIs(Code::kCorrupt, HasSubstr("zero byte")));
}

TEST(SafetensorsHeader, RefusesTextThatIsNotJson) {
  for (const std::string_view text : {"{", "{\"a\"}", "{'a':1}", "{\"a\":}", "{,}", "{}}"}) {
    EXPECT_FALSE(parse(text).ok()) << text;
  }
}

TEST(SafetensorsHeader, RefusesInvalidUtf8) {
  EXPECT_THAT(parse("{\"__metadata__\":{\"a\":\"\xC0\x80\"}}"),
              StatusIs(Code::kCorrupt, HasSubstr("not valid JSON")));
  EXPECT_THAT(parse(R"({"__metadata__":{"a":"\ud800"}})"), StatusIs(Code::kCorrupt));
}

// Refused: metadata.

TEST(SafetensorsHeader, RefusesMetadataThatIsNoObject) {
  for (const std::string_view value : {"null", "[]", "\"x\"", "1", "true"}) {
    EXPECT_THAT(parse("{\"__metadata__\":" + std::string(value) + "}"),
                StatusIs(Code::kRejected, HasSubstr("__metadata__")))
        << value;
  }
}

TEST(SafetensorsHeader, RefusesMetadataOtherThanStrings) {
  for (const std::string_view value : {"null", "[]", "{}", "1", "1.5", "-1", "true"}) {
    EXPECT_THAT(parse(R"({"__metadata__":{"a":)" + std::string(value) + "}}"),
                StatusIs(Code::kRejected, HasSubstr("its values are strings")))
        << value;
  }
}

TEST(SafetensorsHeader, RefusesMetadataTwice) {
  EXPECT_THAT(parse(R"({"__metadata__":{},"__metadata__":{}})"),
              StatusIs(Code::kRejected, HasSubstr("appears twice")));
}

TEST(SafetensorsHeader, RefusesAMetadataKeyTwice) {
  EXPECT_THAT(parse(R"({"__metadata__":{"a":"1","b":"","a":"1"}})"),
              StatusIs(Code::kRejected, HasSubstr("key \"a\" appears twice")));
}

// Refused: tensors.

TEST(SafetensorsHeader, RefusesATensorTwice) {
  EXPECT_THAT(parse(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                    R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
              StatusIs(Code::kRejected, HasSubstr("a tensor appears twice")));
}

TEST(SafetensorsHeader, RefusesATensorThatIsNoObject) {
  for (const std::string_view value : {"null", "[]", "\"x\"", "1", "-1", "1.5", "false"}) {
    EXPECT_THAT(parse("{\"a\":" + std::string(value) + "}"),
                StatusIs(Code::kRejected, HasSubstr("not an object")))
        << value;
  }
}

TEST(SafetensorsHeader, RefusesMissingFields) {
  EXPECT_THAT(parse_tensor(R"("shape":[0],"data_offsets":[0,0])"),
              StatusIs(Code::kRejected, HasSubstr("no \"dtype\"")));
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","data_offsets":[0,0])"),
              StatusIs(Code::kRejected, HasSubstr("no \"shape\"")));
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[0])"),
              StatusIs(Code::kRejected, HasSubstr("no \"data_offsets\"")));
  EXPECT_THAT(parse_tensor(""), StatusIs(Code::kRejected));
}

TEST(SafetensorsHeader, RefusesUnknownFields) {
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[0],"data_offsets":[0,0],"strides":[1])"),
              StatusIs(Code::kRejected, HasSubstr("key \"strides\"")));
}

TEST(SafetensorsHeader, RefusesAFieldTwice) {
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0])"),
              StatusIs(Code::kRejected, HasSubstr("\"dtype\" appears twice")));
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0])"),
              StatusIs(Code::kRejected, HasSubstr("\"shape\" appears twice")));
}

TEST(SafetensorsHeader, RefusesUnknownDtypes) {
  for (const std::string_view dtype : {"F16x", "f32", "", "I128", "C128", "Q4_0"}) {
    EXPECT_THAT(
        parse_tensor(R"("dtype":")" + std::string(dtype) + R"(","shape":[0],"data_offsets":[0,0])"),
        StatusIs(Code::kUnsupported, HasSubstr("unknown dtype")))
        << dtype;
  }
}

TEST(SafetensorsHeader, RefusesADtypeThatIsNoString) {
  for (const std::string_view value : {"1", "null", "[]", "{}"}) {
    EXPECT_THAT(
        parse_tensor("\"dtype\":" + std::string(value) + R"(,"shape":[0],"data_offsets":[0,0])"),
        StatusIs(Code::kRejected, HasSubstr("in \"dtype\"")))
        << value;
  }
}

TEST(SafetensorsHeader, RefusesNumbersThatAreNoUnsignedIntegers) {
  for (const std::string_view number :
       {"-1", "-0", "1.0", "1e0", "18446744073709551616", "\"1\"", "null", "true", "[1]", "{}"}) {
    EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[)" + std::string(number) +
                             R"(],"data_offsets":[0,1])"),
                StatusIs(Code::kRejected, HasSubstr("in \"shape\"")))
        << number;
    EXPECT_THAT(
        parse_tensor(R"("dtype":"U8","shape":[0],"data_offsets":[0,)" + std::string(number) + "]"),
        StatusIs(Code::kRejected, HasSubstr("in \"data_offsets\"")))
        << number;
  }
}

TEST(SafetensorsHeader, RefusesOffsetsThatAreNoPair) {
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[0],"data_offsets":[0])"),
              StatusIs(Code::kRejected, HasSubstr("fewer than two")));
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[0],"data_offsets":[0,0,0])"),
              StatusIs(Code::kRejected, HasSubstr("more than two")));
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[0],"data_offsets":0)"),
              StatusIs(Code::kRejected));
}

TEST(SafetensorsHeader, RefusesOffsetsThatEndBeforeTheyBegin) {
  EXPECT_THAT(parse(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                    R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,1]}})",
                    "xx"),
              StatusIs(Code::kRejected, HasSubstr("end before they begin")));
}

TEST(SafetensorsHeader, RefusesDataThatDoesNotBeginAtZero) {
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[1],"data_offsets":[1,2])", "xx"),
              StatusIs(Code::kRejected, HasSubstr("a hole in the data")));
}

TEST(SafetensorsHeader, RefusesHoles) {
  EXPECT_THAT(parse(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                    R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                    "xxx"),
              StatusIs(Code::kRejected, HasSubstr("a hole in the data before the tensor")));
}

TEST(SafetensorsHeader, RefusesOverlaps) {
  EXPECT_THAT(parse(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                    R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                    "xxx"),
              StatusIs(Code::kRejected, HasSubstr("overlaps")));
}

TEST(SafetensorsHeader, RefusesOffsetsThatContradictTheShape) {
  EXPECT_THAT(parse_tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", "xxxx"),
              StatusIs(Code::kRejected, HasSubstr("expected 8, found 4")));
}

TEST(SafetensorsHeader, RefusesProductsThatOverflow) {
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0])"),
              StatusIs(Code::kRejected, HasSubstr("number of elements overflows")));
  // Also when a zero follows, as in the reference.
  EXPECT_THAT(
      parse_tensor(R"("dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0])"),
      StatusIs(Code::kRejected, HasSubstr("overflows")));
  EXPECT_THAT(parse_tensor(R"("dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0])"),
              StatusIs(Code::kRejected, HasSubstr("the size overflows")));
  EXPECT_THAT(parse_tensor(R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0])"),
              StatusIs(Code::kRejected, HasSubstr("extent of the shape overflows")));
}

TEST(SafetensorsHeader, RefusesSubByteTypesThatEndWithinAByte) {
  EXPECT_THAT(parse_tensor(R"("dtype":"F4","shape":[3],"data_offsets":[0,2])", "xx"),
              StatusIs(Code::kRejected, HasSubstr("whole bytes")));
  EXPECT_THAT(parse_tensor(R"("dtype":"F6_E3M2","shape":[2],"data_offsets":[0,2])", "xx"),
              StatusIs(Code::kRejected, HasSubstr("whole bytes")));
}

TEST(SafetensorsHeader, RefusesNamesThatIngotCannotHold) {
  const std::string fields = R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})";
  EXPECT_OK(parse("{\"" + std::string(1024, 'n') + fields).status());
  for (const std::string& name : {std::string(), std::string(1025, 'n'), std::string("\\n"),
                                  std::string("\\u0000"), std::string("\\u007f")}) {
    EXPECT_THAT(parse("{\"" + name + fields),
                StatusIs(Code::kUnsupported, HasSubstr("is not one that Ingot can hold")))
        << name;
  }
}

TEST(SafetensorsHeader, RefusesARankThatIngotCannotHold) {
  const auto shape = [](int rank) {
    std::string text = "0";
    for (int i = 1; i < rank; ++i) text += ",0";
    return R"("dtype":"U8","shape":[)" + text + R"(],"data_offsets":[0,0])";
  };
  EXPECT_OK(parse_tensor(shape(64)).status());
  EXPECT_THAT(parse_tensor(shape(65)), StatusIs(Code::kUnsupported, HasSubstr("rank")));
}

TEST(SafetensorsHeader, SurvivesDeepNesting) {
  EXPECT_FALSE(parse("{\"a\":" + std::string(1'000'000, '[') + "}").ok());
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(parse(objects + "}").ok());
}

TEST(SafetensorsHeader, ErrorsNameFileAndTensor) {
  const Status status =
      parse_tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", "xxxx").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("f.safetensors: "));
  EXPECT_EQ(status.location().tensor, "a");
  EXPECT_EQ(status.location().region, Region::kHeader);
}

TEST(SafetensorsHeader, ErrorsShowNoControlCharacters) {
  const Status status = parse("{\"\\u001b[31m\":1}").status();
  EXPECT_EQ(status.message().find('\x1b'), std::string_view::npos);
}

}  // namespace
}  // namespace ingot::safetensors
