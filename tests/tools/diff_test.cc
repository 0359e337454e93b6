// What diff() finds, and what it does not read to find it.
#include "tools/diff/diff.h"

#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/samples.h"

namespace ingot::tools {
namespace {

using ::ingot::testing::bytes_of;
using ::ingot::testing::IngotFile;
using ::ingot::testing::pattern;
using ::ingot::testing::SafetensorsFile;
using ::ingot::testing::Scratch;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Diff : public ::testing::Test {
 protected:
  std::string path(std::string_view name) const { return scratch_.path(name); }

  // Writes both and compares them. The sources live as long as the fixture.
  DiffReport compare(const IngotFile& a, const IngotFile& b, DiffOptions options = {},
                     const WriterOptions& written_b = {}) {
    EXPECT_OK(a.write(path("a.ingot")));
    EXPECT_OK(b.write(path("b.ingot"), written_b));
    return compare_files("a.ingot", "b.ingot", options);
  }
  DiffReport compare_files(std::string_view a, std::string_view b, DiffOptions options = {}) {
    Result<std::unique_ptr<DiffSource>> source_a = DiffSource::open(path(a), false);
    Result<std::unique_ptr<DiffSource>> source_b = DiffSource::open(path(b), false);
    EXPECT_OK(source_a.status());
    EXPECT_OK(source_b.status());
    if (!source_a.ok() || !source_b.ok()) return {};
    a_ = *std::move(source_a);
    b_ = *std::move(source_b);
    Result<DiffReport> report = diff(*a_, *b_, options);
    EXPECT_OK(report.status());
    return report.ok() ? *std::move(report) : DiffReport{};
  }
  static IngotFile one(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
                       std::vector<std::byte> bytes) {
    return IngotFile().tensor(name, dtype, std::move(shape), std::move(bytes));
  }

  Scratch scratch_;
  std::unique_ptr<DiffSource> a_;
  std::unique_ptr<DiffSource> b_;
};

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST_F(Diff, EqualFilesAreNotRead) {
  const IngotFile file = one("w", DType::kUInt8, {3 * kMiB}, pattern(3 * kMiB));
  const DiffReport report = compare(file, file);
  EXPECT_TRUE(report.is_equal());
  EXPECT_EQ(report.equal, 1u);
  EXPECT_EQ(report.bytes_read, 0u);
}

TEST_F(Diff, OnlyDifferentPartsAreRead) {
  std::vector<std::byte> bytes = pattern(24 * kMiB);
  const IngotFile a = one("w", DType::kUInt8, {24 * kMiB}, bytes);
  bytes[20 * kMiB] ^= std::byte{1};
  const DiffReport report = compare(a, one("w", DType::kUInt8, {24 * kMiB}, bytes));
  ASSERT_EQ(report.tensors.size(), 1u);
  EXPECT_THAT(report.tensors[0].changes, ElementsAre("changed"));
  EXPECT_EQ(report.tensors[0].values->elements, 24 * kMiB);
  EXPECT_EQ(report.tensors[0].values->differing, 1u);
  EXPECT_EQ(report.tensors[0].values->max_at, 20 * kMiB);
  EXPECT_EQ(report.bytes_read, 2 * 8 * kMiB);  // one part of 8 MiB from either side
}

TEST_F(Diff, WithoutValuesDigestsSuffice) {
  std::vector<std::byte> bytes = pattern(kMiB);
  const IngotFile a = one("w", DType::kUInt8, {kMiB}, bytes);
  bytes[5] ^= std::byte{1};
  const DiffReport report =
      compare(a, one("w", DType::kUInt8, {kMiB}, bytes), {.depth = DiffDepth::kDigests});
  EXPECT_THAT(report.tensors[0].changes, ElementsAre("changed"));
  EXPECT_FALSE(report.tensors[0].values.has_value());
  EXPECT_EQ(report.bytes_read, 0u);
}

TEST_F(Diff, NamesOnlySeesNoData) {
  const DiffReport report =
      compare(one("w", DType::kUInt8, {2}, pattern(2, 1)),
              one("w", DType::kUInt8, {2}, pattern(2, 2)), {.depth = DiffDepth::kNames});
  EXPECT_TRUE(report.is_equal());
}

TEST_F(Diff, ChunkSizesMayDiffer) {
  std::vector<std::byte> bytes = pattern(kMiB);
  const IngotFile a = one("w", DType::kUInt8, {kMiB}, bytes);
  EXPECT_TRUE(compare(a, a, {}, {.chunk_bytes = 65536}).is_equal());
  bytes[kMiB - 1] ^= std::byte{1};
  const IngotFile b = one("w", DType::kUInt8, {kMiB}, bytes);
  const DiffReport report = compare(a, b, {.depth = DiffDepth::kDigests}, {.chunk_bytes = 65536});
  EXPECT_THAT(report.tensors[0].changes, ElementsAre("changed"));
}

TEST_F(Diff, AddedAndRemoved) {
  IngotFile a = one("a", DType::kUInt8, {1}, pattern(1));
  a.tensor("m", DType::kUInt8, {1}, pattern(1));
  IngotFile b = one("z", DType::kUInt8, {1}, pattern(1));
  b.tensor("m", DType::kUInt8, {1}, pattern(1));
  const DiffReport report = compare(a, b);
  ASSERT_EQ(report.tensors.size(), 2u);
  EXPECT_EQ(report.tensors[0].name, "a");
  EXPECT_THAT(report.tensors[0].changes, ElementsAre("removed"));
  EXPECT_EQ(report.tensors[1].name, "z");
  EXPECT_THAT(report.tensors[1].changes, ElementsAre("added"));
  EXPECT_EQ(report.equal, 1u);
}

TEST_F(Diff, Retyped) {
  const DiffReport report = compare(one("w", DType::kFloat32, {2}, bytes_of<float>({1, 3})),
                                    one("w", DType::kFloat64, {2}, bytes_of<double>({1, 2.5})));
  EXPECT_THAT(report.tensors[0].changes, ElementsAre("retyped"));
  EXPECT_EQ(report.tensors[0].values->differing, 1u);
  EXPECT_EQ(report.tensors[0].values->max_abs, 0.5);
}

TEST_F(Diff, Reshaped) {
  const DiffReport same = compare(one("w", DType::kUInt8, {2, 3}, pattern(6)),
                                  one("w", DType::kUInt8, {3, 2}, pattern(6)));
  EXPECT_THAT(same.tensors[0].changes, ElementsAre("reshaped"));
  EXPECT_FALSE(same.tensors[0].values.has_value());
  const DiffReport changed = compare(one("w", DType::kUInt8, {2, 3}, pattern(6)),
                                     one("w", DType::kUInt8, {6}, pattern(6, 9)));
  EXPECT_THAT(changed.tensors[0].changes, ElementsAre("reshaped", "changed"));
  const DiffReport smaller =
      compare(one("w", DType::kUInt8, {6}, pattern(6)), one("w", DType::kUInt8, {5}, pattern(5)));
  EXPECT_THAT(smaller.tensors[0].changes, ElementsAre("reshaped"));
}

TEST_F(Diff, SixBitElementsStraddleParts) {
  // 24 MiB of 6-bit elements: parts of 8 MiB would cut one.
  std::vector<std::byte> bytes = pattern(24 * kMiB);
  const std::int64_t elements = 32 * kMiB;
  const IngotFile a = one("w", DType::kFloat6E2M3FN, {elements}, bytes);
  bytes.back() ^= std::byte{0x80};
  const DiffReport report =
      compare(a, one("w", DType::kFloat6E2M3FN, {elements}, bytes), {}, {.chunk_bytes = 65536});
  EXPECT_EQ(report.tensors[0].values->differing, 1u);
  EXPECT_EQ(report.tensors[0].values->max_at, static_cast<std::uint64_t>(elements) - 1);
}

TEST_F(Diff, StridesAreALayoutNotAChange) {
  const std::vector<std::byte> rows = bytes_of<std::int16_t>({1, 4, 2, 5, 3, 6});
  const std::vector<std::byte> columns = bytes_of<std::int16_t>({1, 2, 3, 4, 5, 6});
  IngotFile strided;
  strided.tensor({.name = "w", .dtype = DType::kInt16, .shape = {3, 2}, .strides = {1, 3}},
                 columns);
  EXPECT_TRUE(compare(strided, strided).is_equal());
  const DiffReport report = compare(strided, one("w", DType::kInt16, {3, 2}, rows));
  EXPECT_THAT(report.tensors[0].changes, ElementsAre("layout"));
}

TEST_F(Diff, Attributes) {
  IngotFile a;
  a.tensor({.name = "w", .dtype = DType::kUInt8, .shape = {1}}, pattern(1));
  IngotFile b;
  b.tensor({.name = "w",
            .dtype = DType::kUInt8,
            .shape = {1},
            .role = Role::kBuffer,
            .requires_grad = true},
           pattern(1));
  EXPECT_THAT(compare(a, b).tensors[0].changes, ElementsAre("role", "requires_grad"));
}

TEST_F(Diff, TiesThatWereCut) {
  IngotFile tied = one("a", DType::kUInt8, {4}, pattern(4));
  tied.tied({.name = "b", .dtype = DType::kUInt8, .shape = {4}}, "a");
  IngotFile apart = one("a", DType::kUInt8, {4}, pattern(4));
  apart.tensor("b", DType::kUInt8, {4}, pattern(4));
  const DiffReport report = compare(tied, apart);
  ASSERT_EQ(report.tensors.size(), 1u);
  EXPECT_EQ(report.tensors[0].name, "b");
  EXPECT_THAT(report.tensors[0].changes, ElementsAre("tied"));
}

TEST_F(Diff, ViewsOfOneStorageAreComparedApart) {
  const auto file = [](std::vector<std::byte> bytes) {
    IngotFile f;
    f.tensor({.name = "first", .dtype = DType::kUInt8, .shape = {8}, .strides = {1}}, bytes);
    f.tied({.name = "second", .dtype = DType::kUInt8, .shape = {4}, .byte_offset = 4}, "first");
    return f;
  };
  std::vector<std::byte> bytes = pattern(8);
  const IngotFile a = file(bytes);
  bytes[0] ^= std::byte{1};
  const DiffReport report = compare(a, file(bytes));
  ASSERT_EQ(report.tensors.size(), 1u);
  EXPECT_EQ(report.tensors[0].name, "first");
}

TEST_F(Diff, Quantization) {
  const auto file = [](double scale) {
    IngotFile f;
    f.tensor({.name = "q",
              .dtype = DType::kQInt8,
              .shape = {2},
              .quantization = QuantizationSpec{.scale = scale}},
             pattern(2));
    return f;
  };
  EXPECT_TRUE(compare(file(0.5), file(0.5)).is_equal());
  EXPECT_THAT(compare(file(0.5), file(0.25)).tensors[0].changes, ElementsAre("quantization"));
}

TEST_F(Diff, EmptyAndZeroDimensional) {
  IngotFile file = one("empty", DType::kFloat32, {0, 4}, {});
  file.tensor("scalar", DType::kFloat32, {}, bytes_of<float>({1}));
  EXPECT_TRUE(compare(file, file).is_equal());
  IngotFile other = one("empty", DType::kFloat32, {0, 4}, {});
  other.tensor("scalar", DType::kFloat32, {}, bytes_of<float>({2}));
  EXPECT_EQ(compare(file, other).tensors.size(), 1u);
}

TEST_F(Diff, Attachments) {
  IngotFile a = one("w", DType::kUInt8, {1}, pattern(1));
  IngotFile b = one("w", DType::kUInt8, {1}, pattern(1));
  a.attachment("changed", "text/plain", "old").attachment("gone", "text/plain", "x");
  a.attachment("same", "text/plain", "same").attachment("type", "text/plain", "t");
  b.attachment("changed", "text/plain", "new").attachment("new", "text/plain", "y");
  b.attachment("same", "text/plain", "same").attachment("type", "text/html", "t");
  const DiffReport report = compare(a, b);
  ASSERT_EQ(report.attachments.size(), 4u);
  EXPECT_THAT(report.attachments[0].changes, ElementsAre("changed"));
  EXPECT_THAT(report.attachments[1].changes, ElementsAre("removed"));
  EXPECT_THAT(report.attachments[2].changes, ElementsAre("added"));
  EXPECT_THAT(report.attachments[3].changes, ElementsAre("media_type"));
}

TEST_F(Diff, SafetensorsIsHashedAndTheOtherSideNotRead) {
  const std::vector<std::byte> bytes = pattern(3 * kMiB);
  SafetensorsFile().tensor("w", "U8", {3 * kMiB}, bytes).write(path("a.safetensors"));
  EXPECT_OK(one("w", DType::kUInt8, {3 * kMiB}, bytes).write(path("b.ingot")));
  const DiffReport report = compare_files("a.safetensors", "b.ingot");
  EXPECT_TRUE(report.is_equal());
  EXPECT_EQ(report.bytes_read, 3 * kMiB);
}

TEST_F(Diff, SafetensorsAgainstSafetensors) {
  SafetensorsFile().tensor("w", "F32", {2}, bytes_of<float>({1, 2})).write(path("a.safetensors"));
  SafetensorsFile().tensor("w", "F32", {2}, bytes_of<float>({1, 4})).write(path("b.safetensors"));
  EXPECT_EQ(compare_files("a.safetensors", "b.safetensors").tensors[0].values->max_abs, 2);
  EXPECT_TRUE(compare_files("a.safetensors", "a.safetensors").is_equal());
}

TEST_F(Diff, WhatSafetensorsCannotHoldIsNotMissedInIt) {
  StateValue metadata = StateValue::dict();
  metadata.set("format", StateValue::string("pt"));
  StateValue root = StateValue::dict();
  root.set("epoch", StateValue::integer(1));
  root.set("metadata", std::move(metadata));
  IngotFile a;
  a.tensor({.name = "w", .dtype = DType::kUInt8, .shape = {1}, .role = Role::kBuffer}, pattern(1));
  a.attachment("x", "text/plain", "x").state(std::move(root));
  EXPECT_OK(a.write(path("a.ingot")));
  SafetensorsFile()
      .tensor("w", "U8", {1}, pattern(1))
      .metadata("format", "pt")
      .write(path("b.safetensors"));
  EXPECT_TRUE(compare_files("a.ingot", "b.safetensors").is_equal());
  SafetensorsFile()
      .tensor("w", "U8", {1}, pattern(1))
      .metadata("format", "np")
      .write(path("b.safetensors"));
  const DiffReport report = compare_files("a.ingot", "b.safetensors");
  ASSERT_EQ(report.state.size(), 1u);
  EXPECT_EQ(report.state[0].path, "/metadata/format");
}

TEST_F(Diff, DamageIsAnErrorNotADifference) {
  std::vector<std::byte> bytes = pattern(kMiB);
  EXPECT_OK(one("w", DType::kUInt8, {kMiB}, bytes).write(path("a.ingot")));
  bytes[9] ^= std::byte{1};
  EXPECT_OK(one("w", DType::kUInt8, {kMiB}, bytes).write(path("b.ingot")));
  testing::flip(path("b.ingot"), 4096 + 100);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<DiffSource> a,
                       DiffSource::open(path("a.ingot"), false));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<DiffSource> b,
                       DiffSource::open(path("b.ingot"), false));
  EXPECT_THAT(diff(*a, *b, {}), testing::StatusIs(Code::kChecksumMismatch));
}

TEST_F(Diff, CanBeCancelled) {
  SafetensorsFile().tensor("w", "U8", {4}, pattern(4)).write(path("a.safetensors"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<DiffSource> a,
                       DiffSource::open(path("a.safetensors"), false));
  const CancelFlag cancel{true};
  EXPECT_THAT(diff(*a, *a, {.cancel = &cancel}), testing::StatusIs(Code::kCancelled));
}

// State trees.

StateValue tree(std::vector<std::pair<StateKey, StateValue>> entries) {
  StateValue dict = StateValue::dict();
  for (auto& [key, value] : entries) dict.set(key, std::move(value));
  return dict;
}

std::vector<std::string> changes(const StateValue& a, const StateValue& b) {
  std::vector<std::string> result;
  for (const StateChange& change : diff_state(a, b)) {
    result.push_back(std::string(change_name(change.kind)) + " " + change.path);
  }
  return result;
}

TEST(StateDiff, EqualTrees) {
  const StateValue value = tree({{"a", StateValue::list({StateValue::integer(1)})}});
  EXPECT_THAT(changes(value, value), IsEmpty());
}

TEST(StateDiff, NamesTheWay) {
  const auto make = [](std::int64_t step) {
    return tree({{"opt/adam~", tree({{3, StateValue::list({StateValue::integer(step)})}})}});
  };
  EXPECT_THAT(changes(make(1), make(2)), ElementsAre("changed /opt~1adam~0/3/0"));
}

TEST(StateDiff, AddedRemovedAndKinds) {
  EXPECT_THAT(changes(tree({{"a", StateValue::null()}, {"b", StateValue::integer(1)}}),
                      tree({{"b", StateValue::real(1)}, {"c", StateValue::null()}})),
              ElementsAre("removed /a", "changed /b", "added /c"));
}

TEST(StateDiff, Lists) {
  const StateValue one = StateValue::list({StateValue::integer(1)});
  const StateValue two = StateValue::list({StateValue::integer(1), StateValue::integer(2)});
  EXPECT_THAT(changes(one, two), ElementsAre("added /1"));
  EXPECT_THAT(changes(two, one), ElementsAre("removed /1"));
}

TEST(StateDiff, OrderOfKeysMatters) {
  EXPECT_THAT(changes(tree({{"a", StateValue::null()}, {"b", StateValue::null()}}),
                      tree({{"b", StateValue::null()}, {"a", StateValue::null()}})),
              ElementsAre("reordered "));
}

TEST(StateDiff, FloatsCompareByBits) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(changes(StateValue::real(nan), StateValue::real(nan)), IsEmpty());
  EXPECT_THAT(changes(StateValue::real(0.0), StateValue::real(-0.0)), ElementsAre("changed "));
}

TEST(StateDiff, OneSideOnly) {
  EXPECT_EQ(diff_state(StateValue::null(), std::nullopt)[0].kind, StateChange::Kind::kRemoved);
  EXPECT_EQ(diff_state(std::nullopt, StateValue::null())[0].kind, StateChange::Kind::kAdded);
  EXPECT_TRUE(diff_state(std::nullopt, std::nullopt).empty());
}

}  // namespace
}  // namespace ingot::tools
