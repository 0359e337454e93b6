// Conversions, both ways, through the functions behind `ingot convert`.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/samples.h"
#include "tools/convert/attach.h"
#include "tools/convert/export.h"
#include "tools/convert/import.h"
#include "tools/safetensors/source.h"

namespace ingot::tools {
namespace {

using ::ingot::testing::bytes_of;
using ::ingot::testing::IngotFile;
using ::ingot::testing::names_in;
using ::ingot::testing::pattern;
using ::ingot::testing::read_file;
using ::ingot::testing::SafetensorsFile;
using ::ingot::testing::sample_model;
using ::ingot::testing::Scratch;
using ::ingot::testing::StatusIs;
using ::ingot::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kMiB = std::size_t{1} << 20;

class Convert : public ::testing::Test {
 protected:
  std::string path(std::string_view name) const { return scratch_.path(name); }
  Result<ConvertReport> import(std::string_view in, ImportOptions options = {}) {
    options.writer.durability = Durability::kNone;
    return import_safetensors(path(in), path("model.ingot"), options);
  }
  Result<ConvertReport> export_to(std::string_view out, ExportOptions options = {}) {
    options.durable = false;
    INGOT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::open(path("model.ingot")));
    return export_safetensors(checkpoint, path(out), options);
  }
  // Imports, exports, and compares with the original.
  void expect_round_trip(const std::string& original, ImportOptions options = {}) {
    write_file(path("in.safetensors"), original);
    std::filesystem::remove(path("model.ingot"));
    ASSERT_OK(import("in.safetensors", std::move(options)).status());
    ASSERT_OK(export_to("out.safetensors", {.replace = true}).status());
    EXPECT_EQ(read_file(path("out.safetensors")), original);
  }

  Scratch scratch_;
};

// From .safetensors.

TEST_F(Convert, FilesOfTheReferenceLibraryComeBackByteForByte) {
  for (const std::string name : {"all_dtypes", "plain", "empty"}) {
    SCOPED_TRACE(name);
    expect_round_trip(
        read_file(std::string(INGOT_SOURCE_DIR) + "/tests/tools/data/" + name + ".safetensors"));
  }
}

TEST_F(Convert, LargeTensorsComeBackWhateverTheChunks) {
  SafetensorsFile file;
  file.tensor("small", "U8", {3}, pattern(3))
      .tensor("large", "U8", {20 * kMiB + 1}, pattern(20 * kMiB + 1));
  for (int i = 0; i < 100; ++i) {
    file.tensor("t" + std::to_string(i), "U8", {i}, pattern(static_cast<std::size_t>(i)));
  }
  for (const std::uint64_t chunk : {kMiB / 16, kMiB, 16 * kMiB}) {
    SCOPED_TRACE(chunk);
    ImportOptions options;
    options.writer.chunk_bytes = chunk;
    options.writer.threads = 2;
    options.writer.sha256 = chunk == kMiB;
    expect_round_trip(file.bytes(), options);
  }
}

TEST_F(Convert, DataInAnotherOrderThanTheHeaderIsFound) {
  write_file(path("in.safetensors"), SafetensorsFile()
                                         .tensor("b", "U8", {2}, pattern(2, 1))
                                         .tensor("a", "U8", {2}, pattern(2, 2))
                                         .bytes());
  ASSERT_OK(import("in.safetensors").status());
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path("model.ingot")));
  EXPECT_EQ(checkpoint.info(0).name, "b");  // registration follows the data
  ASSERT_OK_AND_ASSIGN(const TensorView view, checkpoint.tensor("a"));
  EXPECT_TRUE(std::equal(view.bytes.begin(), view.bytes.end(), pattern(2, 2).begin()));
}

TEST_F(Convert, RunningStatisticsBecomeBuffers) {
  SafetensorsFile()
      .tensor("bn.weight", "F32", {1}, pattern(4))
      .tensor("bn.running_mean", "F32", {1}, pattern(4))
      .tensor("bn.num_batches_tracked", "I64", {}, pattern(8))
      .tensor("running_var", "F32", {1}, pattern(4))
      .tensor("not_running_mean", "F32", {1}, pattern(4))
      .write(path("in.safetensors"));
  ASSERT_OK(import("in.safetensors").status());
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path("model.ingot")));
  EXPECT_EQ(checkpoint.find("bn.weight")->role, Role::kParameter);
  EXPECT_EQ(checkpoint.find("bn.running_mean")->role, Role::kBuffer);
  EXPECT_EQ(checkpoint.find("bn.num_batches_tracked")->role, Role::kBuffer);
  EXPECT_EQ(checkpoint.find("running_var")->role, Role::kBuffer);
  EXPECT_EQ(checkpoint.find("not_running_mean")->role, Role::kParameter);
}

TEST_F(Convert, MetadataIsKeptInTheState) {
  SafetensorsFile().metadata("format", "pt").write(path("in.safetensors"));
  ASSERT_OK(import("in.safetensors").status());
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path("model.ingot")));
  EXPECT_EQ(checkpoint.state()->find("metadata")->find("format")->as_string(), "pt");
}

TEST_F(Convert, FilesAreAttached) {
  SafetensorsFile().tensor("w", "U8", {1}, pattern(1)).write(path("in.safetensors"));
  const std::string large(9 * kMiB, 'x');
  write_file(path("config.json"), "{}");
  write_file(path("vocab:odd.bin"), large);
  ImportOptions options;
  options.attachments = {parse_attach(path("config.json")),
                         parse_attach(path("vocab:odd.bin") + ":application/x-vocab")};
  ASSERT_OK_AND_ASSIGN(const ConvertReport report, import("in.safetensors", options));
  EXPECT_EQ(report.attachments, 2u);
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path("model.ingot")));
  EXPECT_EQ(checkpoint.find_attachment("config.json")->media_type, "application/json");
  const auto vocab = checkpoint.find_attachment("vocab:odd.bin");
  EXPECT_EQ(vocab->media_type, "application/x-vocab");
  ASSERT_OK_AND_ASSIGN(const std::vector<std::byte> bytes, checkpoint.read_attachment(*vocab));
  EXPECT_EQ(as_text(bytes), large);
}

TEST(Attach, TakesTheTypeFromTheExtension) {
  EXPECT_EQ(media_type_of("tokenizer.json"), "application/json");
  EXPECT_EQ(media_type_of("weights"), "application/octet-stream");
  EXPECT_EQ(parse_attach("a/b.txt").name, "b.txt");
  EXPECT_EQ(parse_attach("a/b.txt:text/x-notes").media_type, "text/x-notes");
  EXPECT_EQ(parse_attach("no:type").path, "no:type");
}

TEST_F(Convert, NothingIsReplacedUnlessAsked) {
  SafetensorsFile().tensor("w", "U8", {1}, pattern(1)).write(path("in.safetensors"));
  write_file(path("model.ingot"), "precious");
  EXPECT_THAT(import("in.safetensors", {.writer = {.existing = Existing::kFail}}),
              StatusIs(Code::kAlreadyExists));
  EXPECT_EQ(read_file(path("model.ingot")), "precious");
}

TEST_F(Convert, NothingIsLeftOfAnImportThatFails) {
  write_file(path("in.safetensors"), "not a header");
  EXPECT_FALSE(import("in.safetensors").ok());
  SafetensorsFile().tensor("w", "U8", {1}, pattern(1)).write(path("good.safetensors"));
  const CancelFlag cancel{true};
  EXPECT_THAT(import("good.safetensors", {.writer = {.cancel = &cancel}}),
              StatusIs(Code::kCancelled));
  ImportOptions options;
  options.attachments = {parse_attach(path("missing.json"))};
  EXPECT_THAT(import("good.safetensors", options), StatusIs(Code::kNotFound));
  EXPECT_THAT(names_in(scratch_.folder()), ElementsAre("good.safetensors", "in.safetensors"));
}

TEST_F(Convert, AnInputThatChangesIsAnError) {
  SafetensorsFile()
      .tensor("w", "U8", {32 * kMiB}, pattern(32 * kMiB))
      .write(path("in.safetensors"));
  struct Context {
    std::string path;
    bool done = false;
  } context{path("in.safetensors")};
  ImportOptions options;
  options.writer.staging_bytes = 8 * kMiB;  // so that writing begins, and is told, before the end
  options.writer.progress = {[](void* p, std::uint64_t, std::uint64_t) {
                               auto& c = *static_cast<Context*>(p);
                               if (!std::exchange(c.done, true)) {
                                 std::filesystem::resize_file(c.path, 33 * kMiB);
                               }
                             },
                             &context};
  EXPECT_THAT(import("in.safetensors", options),
              StatusIs(Code::kIoError, HasSubstr("changed while it was being read")));
  EXPECT_FALSE(std::filesystem::exists(path("model.ingot")));
}

// Shards.

TEST_F(Convert, ShardsComeBackByteForByte) {
  std::filesystem::create_directory(path("set"));
  SafetensorsFile()
      .metadata("format", "pt")
      .tensor("a", "U8", {600}, pattern(600))
      .write(path("set/model-00001-of-00002.safetensors"));
  SafetensorsFile()
      .metadata("format", "pt")
      .tensor("b", "U8", {300}, pattern(300))
      .tensor("c", "U8", {300}, pattern(300, 2))
      .write(path("set/model-00002-of-00002.safetensors"));
  safetensors::ShardIndex index;
  index.metadata["total_parameters"] = 1200;
  index.weight_map = {{"a", "model-00001-of-00002.safetensors"},
                      {"b", "model-00002-of-00002.safetensors"},
                      {"c", "model-00002-of-00002.safetensors"}};
  write_file(path("set/model.safetensors.index.json"),
             safetensors::encode_shard_index(index, 1200));
  ASSERT_OK(import("set").status());
  ASSERT_OK_AND_ASSIGN(const ConvertReport report, export_to("out", {.shard_bytes = 700}));
  EXPECT_EQ(report.files.size(), 3u);
  for (const std::string& name : names_in(path("set"))) {
    EXPECT_EQ(read_file(path("set/" + name)), read_file(path("out/" + name))) << name;
  }
  EXPECT_EQ(names_in(path("out")), names_in(path("set")));
}

TEST_F(Convert, ShardsOfTheirSize) {
  SafetensorsFile()
      .tensor("a", "U8", {60}, pattern(60))
      .tensor("large", "U8", {500}, pattern(500))
      .tensor("b", "U8", {60}, pattern(60))
      .tensor("c", "U8", {40}, pattern(40))
      .tensor("d", "U8", {1}, pattern(1))
      .write(path("in.safetensors"));
  ASSERT_OK(import("in.safetensors").status());
  ASSERT_OK_AND_ASSIGN(const ConvertReport report, export_to("out", {.shard_bytes = 100}));
  ASSERT_EQ(report.files.size(), 5u);  // a | large | b c | d | index
  ASSERT_OK_AND_ASSIGN(const safetensors::Source source,
                       safetensors::Source::open(io::posix(), path("out")));
  EXPECT_EQ(source.files()[1].header.tensors.size(), 1u);
  EXPECT_EQ(source.files()[2].header.tensors.size(), 2u);
  EXPECT_EQ(source.data_bytes(), 661u);
}

TEST_F(Convert, OneShardNeedsNoIndex) {
  SafetensorsFile().tensor("a", "U8", {60}, pattern(60)).write(path("in.safetensors"));
  ASSERT_OK(import("in.safetensors").status());
  ASSERT_OK(export_to("out", {.shard_bytes = 100}).status());
  EXPECT_THAT(names_in(path("out")), ElementsAre("model.safetensors"));
}

TEST_F(Convert, ShardsThatDisagreeAreRefusedUnlessAsked) {
  std::filesystem::create_directory(path("set"));
  SafetensorsFile()
      .metadata("part", "1")
      .tensor("a", "U8", {1}, pattern(1))
      .write(path("set/one.safetensors"));
  SafetensorsFile()
      .metadata("part", "2")
      .tensor("b", "U8", {1}, pattern(1))
      .write(path("set/two.safetensors"));
  write_file(path("set/model.safetensors.index.json"),
             R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
  EXPECT_THAT(import("set"), StatusIs(Code::kUnsupported, HasSubstr("part")));
  ASSERT_OK_AND_ASSIGN(const ConvertReport report, import("set", {.drop_extra = true}));
  EXPECT_EQ(report.dropped.size(), 1u);
}

// To .safetensors.

TEST_F(Convert, WhatCannotBeHeldIsRefusedByName) {
  ASSERT_OK(sample_model().write(path("model.ingot")));
  EXPECT_THAT(export_to("out.safetensors", {.duplicate_tied = true}),
              StatusIs(Code::kUnsupported,
                       HasSubstr("optimizer state (1 tensor), attachment \"config.json\", state "
                                 "\"epoch\", state \"optimizer\" (--drop-extra")));
  EXPECT_THAT(names_in(scratch_.folder()), ElementsAre("model.ingot"));
}

TEST_F(Convert, WhatCannotBeHeldIsDroppedWhenAsked) {
  ASSERT_OK(sample_model().write(path("model.ingot")));
  ASSERT_OK_AND_ASSIGN(const ConvertReport report,
                       export_to("out.safetensors", {.duplicate_tied = true, .drop_extra = true}));
  EXPECT_EQ(report.dropped.size(), 4u);
  EXPECT_THAT(report.duplicated, ElementsAre("embed.weight", "head.weight"));
  ASSERT_OK_AND_ASSIGN(const safetensors::Source source,
                       safetensors::Source::open(io::posix(), path("out.safetensors")));
  EXPECT_EQ(source.tensor_count(), 4u);
  EXPECT_EQ(source.metadata()->at(0).second, "pt");
}

TEST_F(Convert, TiedTensorsAreRefusedByName) {
  IngotFile file;
  file.tensor("a", DType::kUInt8, {4}, pattern(4));
  file.tied({.name = "b", .dtype = DType::kUInt8, .shape = {4}}, "a");
  ASSERT_OK(file.write(path("model.ingot")));
  EXPECT_THAT(export_to("out.safetensors"),
              StatusIs(Code::kUnsupported, HasSubstr("a, b (--duplicate-tied")));
  ASSERT_OK(export_to("out.safetensors", {.duplicate_tied = true}).status());
  EXPECT_EQ(read_file(path("out.safetensors")), SafetensorsFile()
                                                    .tensor("a", "U8", {4}, pattern(4))
                                                    .tensor("b", "U8", {4}, pattern(4))
                                                    .bytes());
}

TEST_F(Convert, StridedTensorsAreMadeContiguous) {
  IngotFile file;
  file.tensor({.name = "w", .dtype = DType::kInt16, .shape = {3, 2}, .strides = {1, 3}},
              bytes_of<std::int16_t>({1, 2, 3, 4, 5, 6}));
  ASSERT_OK(file.write(path("model.ingot")));
  ASSERT_OK(export_to("out.safetensors").status());
  EXPECT_EQ(read_file(path("out.safetensors")),
            SafetensorsFile()
                .tensor("w", "I16", {3, 2}, bytes_of<std::int16_t>({1, 4, 2, 5, 3, 6}))
                .bytes());
}

TEST_F(Convert, LargeStridedTensorsAreGatheredInParts) {
  // [2, 5000, 5000] of int16, 100 MB, the last two dimensions transposed: more than one block.
  constexpr std::int64_t kSide = 5000;
  std::vector<std::int16_t> stored(2 * kSide * kSide);
  for (std::size_t i = 0; i < stored.size(); ++i) stored[i] = static_cast<std::int16_t>(i * 31);
  IngotFile file;
  file.tensor({.name = "w",
               .dtype = DType::kInt16,
               .shape = {2, kSide, kSide},
               .strides = {kSide * kSide, 1, kSide}},
              bytes_of(stored));
  ASSERT_OK(file.write(path("model.ingot")));
  ASSERT_OK(export_to("out.safetensors").status());
  const std::string out = read_file(path("out.safetensors"));
  const std::size_t data = out.size() - stored.size() * 2;
  for (std::size_t k = 0; k < stored.size(); k += 997) {
    const std::size_t plane = k / (kSide * kSide);
    const std::size_t row = k / kSide % kSide;
    const std::size_t column = k % kSide;
    std::int16_t found = 0;
    std::memcpy(&found, out.data() + data + 2 * k, 2);
    ASSERT_EQ(found, stored[plane * kSide * kSide + column * kSide + row]) << k;
  }
}

TEST_F(Convert, UnknownDtypesAreRefusedByName) {
  ASSERT_OK(IngotFile()
                .tensor("ok", DType::kFloat32, {1}, pattern(4))
                .tensor("z", DType::kComplex128, {1}, pattern(16))
                .write(path("model.ingot")));
  EXPECT_THAT(export_to("out.safetensors"),
              StatusIs(Code::kUnsupported, HasSubstr("no dtype complex128: tensor \"z\"")));
}

TEST_F(Convert, TensorsAreOrderedForAlignmentWhenTheyNeedIt) {
  ASSERT_OK(IngotFile()
                .tensor("odd", DType::kUInt8, {3}, pattern(3))
                .tensor("z", DType::kFloat64, {1}, pattern(8))
                .tensor("a", DType::kFloat64, {1}, pattern(8, 2))
                .write(path("model.ingot")));
  ASSERT_OK(export_to("out.safetensors").status());
  EXPECT_EQ(read_file(path("out.safetensors")), SafetensorsFile()
                                                    .tensor("a", "F64", {1}, pattern(8, 2))
                                                    .tensor("z", "F64", {1}, pattern(8))
                                                    .tensor("odd", "U8", {3}, pattern(3))
                                                    .bytes());
}

TEST_F(Convert, DamageIsNotExported) {
  SafetensorsFile().tensor("w", "U8", {100}, pattern(100)).write(path("in.safetensors"));
  ASSERT_OK(import("in.safetensors").status());
  testing::flip(path("model.ingot"), 4096 + 50);
  EXPECT_THAT(export_to("out.safetensors"), StatusIs(Code::kChecksumMismatch, HasSubstr("\"w\"")));
  EXPECT_THAT(export_to("set", {.shard_bytes = 10}), StatusIs(Code::kChecksumMismatch));
  EXPECT_THAT(names_in(scratch_.folder()), ElementsAre("in.safetensors", "model.ingot"));
}

// What an export into a folder finds there.

class ExportOver : public Convert {
 protected:
  // Four tensors of 10 bytes whose content `seed` tells.
  void model(unsigned seed) {
    SafetensorsFile file;
    for (const char* const name : {"a", "b", "c", "d"}) {
      file.tensor(name, "U8", {10}, pattern(10, seed));
    }
    file.write(path("in.safetensors"));
    std::filesystem::remove(path("model.ingot"));
    EXPECT_OK(import("in.safetensors").status());
  }
  Result<ConvertReport> shards_of(std::uint64_t bytes, bool replace = false) {
    return export_to("out", {.replace = replace, .shard_bytes = bytes});
  }
  // Which model readers of the folder find: its seed, or what is wrong.
  std::string found() {
    const Result<unsigned> seed = seed_found();
    return seed.ok() ? std::to_string(*seed) : seed.status().to_string();
  }

 private:
  Result<unsigned> seed_found() {
    std::filesystem::remove(path("found.ingot"));
    INGOT_RETURN_IF_ERROR(import_safetensors(path("out"), path("found.ingot"),
                                             {.writer = {.durability = Durability::kNone}})
                              .status());
    INGOT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::open(path("found.ingot")));
    for (unsigned seed = 1; seed < 10; ++seed) {
      bool all = true;
      for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
        INGOT_ASSIGN_OR_RETURN(const TensorView view, checkpoint.tensor(checkpoint.info(i).name));
        all = all && std::ranges::equal(view.bytes, pattern(10, seed));
      }
      if (all) return seed;
    }
    return Status(Code::kCorrupt, "a mixture");
  }
};

TEST_F(ExportOver, AFileBesideAnOlderIndexIsRefused) {
  model(1);
  ASSERT_OK(shards_of(20).status());
  model(2);
  EXPECT_THAT(shards_of(100),
              StatusIs(Code::kAlreadyExists, HasSubstr("out/model.safetensors.index.json")));
  EXPECT_THAT(export_to("out/model.safetensors"),
              StatusIs(Code::kAlreadyExists, HasSubstr("out/model.safetensors.index.json")));
  EXPECT_EQ(found(), "1");
}

TEST_F(ExportOver, AFileTakesThePlaceOfOlderShardsWhenAsked) {
  for (const bool named : {false, true}) {
    model(1);
    ASSERT_OK(shards_of(20, true).status());
    model(2);
    ASSERT_OK_AND_ASSIGN(
        const ConvertReport report,
        named ? export_to("out/model.safetensors", {.replace = true}) : shards_of(100, true));
    EXPECT_THAT(names_in(path("out")), ElementsAre("model.safetensors"));
    EXPECT_EQ(found(), "2");
    EXPECT_THAT(report.removed, ElementsAre(path("out/model.safetensors.index.json"),
                                            path("out/model-00001-of-00002.safetensors"),
                                            path("out/model-00002-of-00002.safetensors")));
  }
}

TEST_F(ExportOver, ShardsBesideAnOlderFileAreRefused) {
  model(1);
  ASSERT_OK(shards_of(100).status());
  model(2);
  EXPECT_THAT(shards_of(20), StatusIs(Code::kAlreadyExists, HasSubstr("out/model.safetensors: ")));
  EXPECT_THAT(names_in(path("out")), ElementsAre("model.safetensors"));
  EXPECT_EQ(found(), "1");
}

TEST_F(ExportOver, ShardsTakeThePlaceOfAnOlderFileWhenAsked) {
  model(1);
  ASSERT_OK(shards_of(100).status());
  model(2);
  ASSERT_OK_AND_ASSIGN(const ConvertReport report, shards_of(20, true));
  EXPECT_THAT(names_in(path("out")),
              ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                          "model.safetensors.index.json"));
  EXPECT_EQ(found(), "2");
  EXPECT_THAT(report.removed, ElementsAre(path("out/model.safetensors")));
}

TEST_F(ExportOver, ShardsThatTheOlderIndexNamedGoAndOthersStay) {
  model(1);
  ASSERT_OK(shards_of(10).status());  // four
  write_file(path("out/model-00009-of-00009.safetensors"), "not named");
  write_file(path("out/other.safetensors"), "named, but not as shards are");
  const std::string index = read_file(path("out/model.safetensors.index.json"));
  write_file(path("out/model.safetensors.index.json"),
             std::string(index).insert(index.find("\"a\""), R"("x": "other.safetensors",)"));
  model(2);
  ASSERT_OK_AND_ASSIGN(const ConvertReport report, shards_of(20, true));
  EXPECT_THAT(names_in(path("out")),
              ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                          "model-00009-of-00009.safetensors", "model.safetensors.index.json",
                          "other.safetensors"));
  EXPECT_EQ(report.removed.size(), 4u);
  EXPECT_EQ(found(), "2");
}

// However the folder is spelled, what was just written is not taken for something older.
TEST_F(ExportOver, TheSameNamesAgain) {
  for (const char* const out : {"out", "out/", "out//", "./out/.", "out/../out"}) {
    model(1);
    ASSERT_OK(export_to(out, {.replace = true, .shard_bytes = 20}).status());
    model(2);
    ASSERT_OK_AND_ASSIGN(const ConvertReport report,
                         export_to(out, {.replace = true, .shard_bytes = 20}));
    EXPECT_THAT(report.removed, IsEmpty());
    EXPECT_EQ(found(), "2") << out;
  }
}

TEST_F(ExportOver, AnIndexThatCannotBeReadGoesAndNoShards) {
  model(2);
  std::filesystem::create_directory(path("out"));
  write_file(path("out/model-00001-of-00001.safetensors"), "precious");
  write_file(path("out/model.safetensors.index.json"), "{");
  ASSERT_OK(shards_of(100, true).status());
  EXPECT_THAT(names_in(path("out")),
              ElementsAre("model-00001-of-00001.safetensors", "model.safetensors"));
}

TEST_F(ExportOver, OnlyRegularFilesAreRemoved) {
  model(2);
  std::filesystem::create_directory(path("out"));
  write_file(path("blob"), "{}");
  std::filesystem::create_symlink("../blob", path("out/model.safetensors.index.json"));
  EXPECT_THAT(shards_of(100, true),
              StatusIs(Code::kAlreadyExists, HasSubstr("found a symbolic link")));
  EXPECT_THAT(names_in(path("out")), ElementsAre("model.safetensors.index.json"));
}

TEST_F(ExportOver, FilesOfOtherNamesAreNoModelOfTheFolder) {
  model(1);
  ASSERT_OK(shards_of(20).status());
  model(2);
  ASSERT_OK(export_to("out/other.safetensors").status());
  EXPECT_EQ(found(), "1");
}

// Not after hours of writing.
TEST_F(ExportOver, NamesAreLookedAtBeforeAnythingIsWritten) {
  model(2);
  std::filesystem::create_directory(path("out"));
  write_file(path("out/model-00002-of-00002.safetensors"), "precious");
  int calls = 0;
  ExportOptions options{.shard_bytes = 20};
  options.progress = {[](void* p, std::uint64_t, std::uint64_t) { ++*static_cast<int*>(p); },
                      &calls};
  EXPECT_THAT(export_to("out", options), StatusIs(Code::kAlreadyExists));
  EXPECT_EQ(calls, 0);
}

TEST_F(Convert, ShardsAppearTogetherOrNotAtAll) {
  SafetensorsFile()
      .tensor("a", "U8", {10}, pattern(10))
      .tensor("b", "U8", {10}, pattern(10))
      .write(path("in.safetensors"));
  ASSERT_OK(import("in.safetensors").status());
  std::filesystem::create_directory(path("out"));
  write_file(path("out/model-00002-of-00002.safetensors"), "precious");
  EXPECT_THAT(export_to("out", {.shard_bytes = 10}), StatusIs(Code::kAlreadyExists));
  EXPECT_THAT(names_in(path("out")), ElementsAre("model-00002-of-00002.safetensors"));
}

}  // namespace
}  // namespace ingot::tools
