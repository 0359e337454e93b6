// The shard index, and sets of shards that are hostile or simply wrong.
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/samples.h"
#include "tools/safetensors/shard_index.h"
#include "tools/safetensors/source.h"

namespace ingot::safetensors {
namespace {

using ::ingot::testing::pattern;
using ::ingot::testing::SafetensorsFile;
using ::ingot::testing::Scratch;
using ::ingot::testing::StatusIs;
using ::ingot::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Result<ShardIndex> parse(std::string_view text) { return parse_shard_index(text, "index.json"); }

TEST(ShardIndex, ReadsMapAndMetadata) {
  ASSERT_OK_AND_ASSIGN(const ShardIndex index,
                       parse(R"({"metadata":{"total_size":3},"weight_map":{"b":"s2","a":"s1"}})"));
  EXPECT_THAT(index.weight_map, ElementsAre(Pair("a", "s1"), Pair("b", "s2")));
  EXPECT_EQ(index.metadata["total_size"], 3);
}

TEST(ShardIndex, NeedsNoMetadata) { EXPECT_OK(parse(R"({"weight_map":{}})").status()); }

TEST(ShardIndex, RefusesWhatIsNotJson) {
  for (const std::string_view text : {"", "{", "{} x", "\xEF\xBB\xBF[", "{\"a\":\"\xff\"}"}) {
    EXPECT_THAT(parse(text), StatusIs(Code::kCorrupt)) << text;
  }
  EXPECT_THAT(parse(std::string_view("{\"weight_map\":{}}\0}", 19)), StatusIs(Code::kCorrupt));
}

TEST(ShardIndex, RefusesAMissingMap) {
  for (const std::string_view text : {"{}", "[]", "1", R"({"weight_map":[]})"}) {
    EXPECT_THAT(parse(text), StatusIs(Code::kRejected, HasSubstr("weight_map"))) << text;
  }
}

TEST(ShardIndex, RefusesMetadataThatIsNoObject) {
  EXPECT_THAT(parse(R"({"metadata":1,"weight_map":{}})"), StatusIs(Code::kRejected));
}

TEST(ShardIndex, RefusesKeysThatAppearTwice) {
  EXPECT_THAT(parse(R"({"weight_map":{"a":"s","a":"s"}})"),
              StatusIs(Code::kRejected, HasSubstr("\"a\" appears twice")));
  EXPECT_THAT(parse(R"({"weight_map":{},"weight_map":{}})"), StatusIs(Code::kRejected));
}

TEST(ShardIndex, RefusesShardsThatAreNoStrings) {
  EXPECT_THAT(parse(R"({"weight_map":{"a":1}})"), StatusIs(Code::kRejected));
}

TEST(ShardIndex, RefusesDeepNesting) {
  EXPECT_FALSE(parse(std::string(100'000, '[')).ok());
  std::string deep = "{\"metadata\":{\"a\":";
  deep += std::string(100, '[') + std::string(100, ']') + "},\"weight_map\":{}}";
  EXPECT_THAT(parse(deep), StatusIs(Code::kRejected, HasSubstr("nested")));
}

TEST(ShardIndex, RefusesNamesThatAreMoreThanAName) {
  for (const std::string_view name : {"", ".", "..", "../x.safetensors", "a/b", "/etc/passwd",
                                      ".hidden", "a\\\\b", "a b", "x\\u0000", "x\\ny", "~"}) {
    EXPECT_THAT(parse(R"({"weight_map":{"a":")" + std::string(name) + "\"}}"),
                StatusIs(Code::kRejected, HasSubstr("not a plain file name")))
        << name;
  }
  EXPECT_FALSE(is_plain_name(std::string(256, 'a')));
  EXPECT_TRUE(is_plain_name(std::string(255, 'a')));
  EXPECT_TRUE(is_plain_name("model-00001-of-00002.safetensors"));
}

TEST(ShardIndex, WritesAsTheHuggingFaceLibrariesDo) {
  ShardIndex index;
  index.metadata["total_parameters"] = 5;
  index.weight_map = {{"b", "model-00002-of-00002.safetensors"}, {"é", "m"}};
  EXPECT_EQ(encode_shard_index(index, 20),
            "{\n  \"metadata\": {\n    \"total_parameters\": 5,\n    \"total_size\": 20\n  },\n"
            "  \"weight_map\": {\n    \"b\": \"model-00002-of-00002.safetensors\",\n"
            "    \"\\u00e9\": \"m\"\n  }\n}\n");
}

TEST(ShardIndex, NamesShards) {
  EXPECT_EQ(shard_name("model", 2, 17), "model-00002-of-00017.safetensors");
}

TEST(ShardIndex, KnowsTheNamesOfShards) {
  EXPECT_TRUE(is_shard_name("model", "model-00002-of-00017.safetensors"));
  EXPECT_TRUE(is_shard_name("model", shard_name("model", 1, 1)));
  for (const std::string_view name :
       {"", "model", "model.safetensors", "model-00002-of-00017.safetensors.index.json",
        "model-0002-of-00017.safetensors", "model-0000a-of-00017.safetensors",
        "model-00002_of-00017.safetensors", "Model-00002-of-00017.safetensors",
        "xmodel-00002-of-00017.safetensors", "model-00002-of-00017.safetensorsx"}) {
    EXPECT_FALSE(is_shard_name("model", name)) << name;
  }
}

// Sets of files.

class ShardSet : public ::testing::Test {
 protected:
  ShardSet() {
    one().write(path("one.safetensors"));
    two().write(path("two.safetensors"));
  }
  static SafetensorsFile one() {
    return SafetensorsFile().tensor("a", "U8", {4}, pattern(4)).tensor("b", "U8", {4}, pattern(4));
  }
  static SafetensorsFile two() { return SafetensorsFile().tensor("c", "U8", {4}, pattern(4)); }
  std::string path(std::string_view name) const { return scratch_.path(name); }
  void index(std::string_view map) {
    write_file(path("model.safetensors.index.json"), "{\"weight_map\":{" + std::string(map) + "}}");
  }
  Result<Source> open(const SourceOptions& options = {}) {
    return Source::open(io::posix(), scratch_.folder(), options);
  }

  static constexpr const char* kRight =
      R"("a":"one.safetensors","b":"one.safetensors","c":"two.safetensors")";
  Scratch scratch_;
};

TEST_F(ShardSet, Opens) {
  index(kRight);
  ASSERT_OK_AND_ASSIGN(const Source source, open());
  EXPECT_TRUE(source.is_sharded());
  EXPECT_EQ(source.tensor_count(), 3u);
  EXPECT_EQ(source.data_bytes(), 12u);
}

TEST_F(ShardSet, AFolderWithoutAnIndexHoldsOneFile) {
  one().write(path("model.safetensors"));
  ASSERT_OK_AND_ASSIGN(const Source source, open());
  EXPECT_FALSE(source.is_sharded());
}

// Of two models loaders take now one, now the other, or both at once.
TEST_F(ShardSet, AFolderWithBothIsRefused) {
  index(kRight);
  one().write(path("model.safetensors"));
  EXPECT_THAT(open(),
              StatusIs(Code::kInvalidArgument,
                       HasSubstr("both model.safetensors.index.json and model.safetensors")));
  for (const std::string name : {"model.safetensors", "model.safetensors.index.json"}) {
    EXPECT_OK(Source::open(io::posix(), path(name)).status());
  }
}

TEST_F(ShardSet, AnIndexMayNameTheOnlyFile) {
  one().write(path("model.safetensors"));
  index(R"("a":"model.safetensors","b":"model.safetensors")");
  ASSERT_OK_AND_ASSIGN(const Source source, open());
  EXPECT_TRUE(source.is_sharded());
}

TEST_F(ShardSet, AFolderWithNeitherIsRefused) {
  EXPECT_THAT(open(), StatusIs(Code::kNotFound, HasSubstr("neither")));
}

TEST_F(ShardSet, AMissingShardIsRefused) {
  index(R"("a":"one.safetensors","b":"one.safetensors","c":"three.safetensors")");
  EXPECT_THAT(open(), StatusIs(Code::kNotFound, HasSubstr("three.safetensors")));
}

TEST_F(ShardSet, ATensorThatTheMapLacksIsRefused) {
  index(R"("a":"one.safetensors","c":"two.safetensors")");
  EXPECT_THAT(open(),
              StatusIs(Code::kRejected,
                       HasSubstr("one.safetensors has a tensor that the shard index does")));
}

TEST_F(ShardSet, ATensorThatTheShardLacksIsRefused) {
  index(std::string(kRight) + R"(,"d":"two.safetensors")");
  EXPECT_THAT(open(), StatusIs(Code::kRejected, HasSubstr("two.safetensors lacks a tensor")));
}

TEST_F(ShardSet, ATensorInTheWrongShardIsRefused) {
  index(R"("a":"one.safetensors","b":"two.safetensors","c":"two.safetensors")");
  EXPECT_THAT(open(), StatusIs(Code::kRejected));
}

TEST_F(ShardSet, ATensorInTwoShardsIsRefused) {
  SafetensorsFile()
      .tensor("c", "U8", {4}, pattern(4))
      .tensor("a", "U8", {4}, pattern(4))
      .write(path("two.safetensors"));
  index(kRight);
  EXPECT_THAT(open(), StatusIs(Code::kRejected, HasSubstr("in two shards")));
}

TEST_F(ShardSet, ASymbolicLinkIsRefusedUnlessAllowed) {
  std::filesystem::rename(path("two.safetensors"), path("blob"));
  std::filesystem::create_symlink("blob", path("two.safetensors"));
  index(kRight);
  EXPECT_THAT(open(), StatusIs(Code::kRejected, HasSubstr("symbolic link")));
  EXPECT_OK(open({.follow_symlinks = true}).status());
}

TEST_F(ShardSet, ALinkOutOfTheFolderIsRefused) {
  const Scratch outside;
  two().write(outside.path("secret"));
  std::filesystem::remove(path("two.safetensors"));
  std::filesystem::create_symlink(outside.path("secret"), path("two.safetensors"));
  index(kRight);
  EXPECT_THAT(open(), StatusIs(Code::kRejected));
}

TEST_F(ShardSet, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  std::filesystem::remove(path("two.safetensors"));
  ASSERT_EQ(::mkfifo(path("two.safetensors").c_str(), 0666), 0);
  index(kRight);
  EXPECT_THAT(open(),
              StatusIs(Code::kInvalidArgument, HasSubstr("not a regular file: found a FIFO")));
}

TEST_F(ShardSet, ADamagedShardIsRefused) {
  write_file(path("two.safetensors"), "short");
  index(kRight);
  EXPECT_THAT(open(), StatusIs(Code::kTruncated, HasSubstr("two.safetensors")));
}

TEST_F(ShardSet, MetadataIsMergedAndConflictsAreTold) {
  one().metadata("format", "pt").metadata("part", "1").write(path("one.safetensors"));
  two().metadata("format", "pt").metadata("part", "2").write(path("two.safetensors"));
  index(kRight);
  ASSERT_OK_AND_ASSIGN(const Source source, open());
  EXPECT_THAT(*source.metadata(), ElementsAre(Pair("format", "pt"), Pair("part", "1")));
  EXPECT_THAT(source.conflicting_metadata(), ElementsAre("part"));
}

TEST_F(ShardSet, ChangesAreNoticed) {
  index(kRight);
  ASSERT_OK_AND_ASSIGN(const Source source, open());
  EXPECT_OK(source.check_unchanged());
  two().metadata("more", "bytes").write(path("two.safetensors"));
  EXPECT_THAT(source.check_unchanged(), StatusIs(Code::kIoError, HasSubstr("changed")));
}

}  // namespace
}  // namespace ingot::safetensors
