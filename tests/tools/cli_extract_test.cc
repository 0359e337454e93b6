#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/run_command.h"
#include "tests/tools/samples.h"

namespace ingot::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class CliExtract : public ::testing::Test {
 protected:
  CliExtract() { EXPECT_OK(sample_model().write(path("model.ingot"))); }
  std::string path(std::string_view name) const { return scratch_.path(name); }
  CommandResult extract(std::vector<std::string> options) const {
    options.insert(options.begin(), {"extract", path("model.ingot")});
    return run_ingot(options);
  }
  static std::string text(const std::vector<std::byte>& bytes) {
    return std::string(as_text(bytes));
  }
  Scratch scratch_;
};

TEST_F(CliExtract, RawBytes) {
  const CommandResult result = extract({"embed.weight", "-o", path("out.bin")});
  EXPECT_EQ(result.exit, 0);
  EXPECT_THAT(result.out, HasSubstr("embed.weight, float32 [100, 200], 78.1 KiB"));
  EXPECT_EQ(read_file(path("out.bin")), text(pattern(80'000)));
}

TEST_F(CliExtract, ToStandardOutput) {
  const CommandResult result = extract({"norm.running_mean", "-o", "-"});
  EXPECT_EQ(result.exit, 0);
  EXPECT_EQ(result.out, text(pattern(16, 2)));
}

TEST_F(CliExtract, StridedTensorsComePacked) {
  EXPECT_EQ(extract({"transposed", "-o", "-"}).out,
            text(bytes_of<std::int16_t>({1, 4, 2, 5, 3, 6})));
}

TEST_F(CliExtract, Slices) {
  EXPECT_EQ(extract({"transposed", "--slice", "1:,1", "-o", "-"}).out,
            text(bytes_of<std::int16_t>({5, 6})));
  EXPECT_EQ(extract({"embed.weight", "--slice", "-1", "-o", "-"}).out,
            text(pattern(80'000)).substr(80'000 - 800));
  EXPECT_EQ(extract({"embed.weight", "--slice", "100", "-o", "-"}).exit, 64);
}

TEST_F(CliExtract, NumPy) {
  ASSERT_EQ(extract({"transposed", "--npy", "--slice", ":,0", "-o", path("t.npy")}).exit, 0);
  const std::string npy = read_file(path("t.npy"));
  EXPECT_THAT(npy, StartsWith("\x93NUMPY"));
  EXPECT_THAT(npy, HasSubstr("'descr': '<i2', 'fortran_order': False, 'shape': (3,), }"));
  EXPECT_EQ(npy.substr(npy.size() - 6), text(bytes_of<std::int16_t>({1, 2, 3})));
  const CommandResult refused = extract({"norm.running_mean", "--npy", "-o", path("x.npy")});
  EXPECT_EQ(refused.exit, 5);
  EXPECT_THAT(refused.err, HasSubstr("NumPy has no dtype bfloat16"));
  EXPECT_FALSE(std::filesystem::exists(path("x.npy")));
}

TEST_F(CliExtract, Attachments) {
  EXPECT_EQ(extract({"--attachment", "config.json", "-o", "-"}).out, "{\"hidden_size\": 200}\n");
  EXPECT_EQ(extract({"--attachment", "nothing", "-o", "-"}).exit, 4);
}

TEST_F(CliExtract, SeveralIntoAFolder) {
  std::filesystem::create_directory(path("out"));
  const CommandResult result =
      extract({"transposed", "adamw.step", "--attachment", "config.json", "-o", path("out")});
  EXPECT_EQ(result.exit, 0);
  EXPECT_THAT(names_in(path("out")),
              ElementsAre("adamw.step.bin", "config.json", "transposed.bin"));
  EXPECT_EQ(extract({"transposed", "adamw.step", "-o", path("nowhere")}).exit, 64);
}

TEST_F(CliExtract, TwoOfOnePathAreRefusedBeforeAnythingIsWritten) {
  ASSERT_OK(IngotFile()
                .tensor("x", DType::kUInt8, {1}, pattern(1))
                .tensor("y", DType::kUInt8, {1}, pattern(1))
                .attachment("x.bin", "application/octet-stream", "attached")
                .write(path("model.ingot")));
  std::filesystem::create_directory(path("out"));
  const CommandResult result =
      extract({"y", "x", "--attachment", "x.bin", "--force", "-o", path("out")});
  EXPECT_EQ(result.exit, 64);
  EXPECT_THAT(result.err, HasSubstr("x.bin: both \"x\" and \"x.bin\" would be written"));
  EXPECT_EQ(extract({"y", "y", "--force", "-o", path("out")}).exit, 64);
  EXPECT_THAT(names_in(path("out")), IsEmpty());
}

TEST_F(CliExtract, WhatCannotBeDoneIsSeenBeforeAnythingIsWritten) {
  std::filesystem::create_directory(path("out"));
  EXPECT_EQ(extract({"transposed", "nothing", "-o", path("out")}).exit, 4);
  EXPECT_EQ(extract({"transposed", "--attachment", "nothing", "-o", path("out")}).exit, 4);
  EXPECT_EQ(extract({"transposed", "norm.running_mean", "--npy", "-o", path("out")}).exit, 5);
  EXPECT_EQ(extract({"norm.running_mean", "transposed", "--slice", "5", "-o", path("out")}).exit,
            64);
  EXPECT_THAT(names_in(path("out")), IsEmpty());
  write_file(path("out/transposed.bin"), "precious");
  EXPECT_EQ(extract({"adamw.step", "transposed", "-o", path("out")}).exit, 4);
  EXPECT_THAT(names_in(path("out")), ElementsAre("transposed.bin"));
}

TEST_F(CliExtract, NamesTooLongForAFolder) {
  const std::string longest(251, 'a');  // and ".bin"
  const std::string too_long(252, 'b');
  ASSERT_OK(IngotFile()
                .tensor(longest, DType::kUInt8, {1}, pattern(1))
                .tensor(too_long, DType::kUInt8, {1}, pattern(1))
                .write(path("model.ingot")));
  std::filesystem::create_directory(path("out"));
  const CommandResult result = extract({longest, too_long, "-o", path("out")});
  EXPECT_EQ(result.exit, 64);
  EXPECT_THAT(result.err, HasSubstr("expected at most 255 bytes, found 256 (extract it alone"));
  EXPECT_THAT(names_in(path("out")), IsEmpty());
  EXPECT_EQ(extract({longest, "-o", path("out")}).exit, 0);
  EXPECT_EQ(extract({longest, "--force", "-o", path("out")}).exit, 0);
  EXPECT_EQ(extract({too_long, "-o", path("out/b.bin")}).exit, 0);
}

TEST_F(CliExtract, SpaceIsLookedAtFirst) {
  // 1 PiB for a file system that does not have it: a view with strides of 0 of one byte.
  const std::int64_t extent = std::int64_t{1} << 50;
  ASSERT_OK(IngotFile()
                .tensor({.name = "vast", .dtype = DType::kUInt8, .shape = {extent}, .strides = {0}},
                        pattern(1))
                .write(path("model.ingot")));
  const CommandResult result = extract({"vast", "-o", path("vast.bin")});
  EXPECT_EQ(result.exit, 4);
  EXPECT_THAT(result.err, HasSubstr("vast.bin: need 1.0 PiB (1125899906842624 bytes), have "));
  EXPECT_FALSE(std::filesystem::exists(path("vast.bin")));
}

TEST_F(CliExtract, HostileNamesStayInTheFolder) {
  ASSERT_OK(
      IngotFile().tensor("../escape", DType::kUInt8, {1}, pattern(1)).write(path("model.ingot")));
  std::filesystem::create_directory(path("out"));
  ASSERT_EQ(extract({"../escape", "-o", path("out")}).exit, 0);
  EXPECT_THAT(names_in(path("out")), ElementsAre("%2E.%2Fescape.bin"));
}

TEST_F(CliExtract, JsonShape) {
  const json report =
      json::parse(extract({"--json", "transposed", "--slice", "0", "-o", path("t.bin")}).out);
  EXPECT_EQ(report["ok"], true);
  ASSERT_EQ(report["files"].size(), 1u);
  const json& file = report["files"][0];
  EXPECT_EQ(file["name"], "transposed");
  EXPECT_EQ(file["file"], path("t.bin"));
  EXPECT_EQ(file["dtype"], "int16");
  EXPECT_THAT(file["shape"], ElementsAre(2));
  EXPECT_EQ(file["bytes"], 4);
  EXPECT_EQ(extract({"--json", "transposed", "-o", "-"}).exit, 64);
}

TEST_F(CliExtract, ExistingFilesStayUnlessForced) {
  write_file(path("t.bin"), "precious");
  EXPECT_EQ(extract({"transposed", "-o", path("t.bin")}).exit, 4);
  EXPECT_EQ(read_file(path("t.bin")), "precious");
  EXPECT_EQ(extract({"transposed", "-o", path("t.bin"), "--force"}).exit, 0);
}

TEST_F(CliExtract, DamageIsNotHandedOut) {
  flip(path("model.ingot"), 5000);
  const CommandResult result = extract({"embed.weight", "-o", path("t.bin")});
  EXPECT_EQ(result.exit, 2);
  EXPECT_THAT(result.err, HasSubstr("embed.weight"));
  EXPECT_FALSE(std::filesystem::exists(path("t.bin")));
  EXPECT_EQ(extract({"transposed", "-o", path("t.bin")}).exit, 0);  // the rest stays usable
}

TEST_F(CliExtract, MissingTensors) {
  const CommandResult result = extract({"nothing", "-o", "-"});
  EXPECT_EQ(result.exit, 4);
  EXPECT_THAT(result.err, HasSubstr("no tensor \"nothing\""));
}

}  // namespace
}  // namespace ingot::testing
