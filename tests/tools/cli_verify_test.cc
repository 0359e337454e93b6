#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/file_system.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/run_command.h"
#include "tests/tools/samples.h"

namespace ingot::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class CliVerify : public ::testing::Test {
 protected:
  CliVerify() { EXPECT_OK(sample_model().write(file_)); }

  CommandResult verify(std::vector<std::string> options) const {
    options.insert(options.begin(), {"verify", file_});
    return run_ingot(options);
  }
  json verify_json(std::vector<std::string> options = {}) const {
    options.emplace_back("--json");
    return json::parse(verify(options).out);
  }

  Scratch scratch_;
  std::string file_ = scratch_.path("model.ingot");
};

TEST_F(CliVerify, Intact) {
  const CommandResult result = verify({});
  EXPECT_EQ(result.exit, 0);
  EXPECT_THAT(result.err, IsEmpty());
  EXPECT_THAT(result.out, HasSubstr("model.ingot: intact: "));
  EXPECT_THAT(result.out, HasSubstr("by mapping (a BusGuard covers mapped pages)"));
}

TEST_F(CliVerify, JsonShape) {
  const json report = verify_json();
  EXPECT_EQ(report["ok"], true);
  EXPECT_EQ(report["file"], file_);
  EXPECT_GT(report["bytes"].get<std::uint64_t>(), 80'000u);
  EXPECT_TRUE(report["seconds"].is_number_float());
  EXPECT_TRUE(report["gbps"].is_number());
  EXPECT_TRUE(report["threads"].is_number_integer());
  EXPECT_EQ(report["path"], "mapping");
  EXPECT_TRUE(report["reason"].is_string());
  EXPECT_TRUE(report["chunks"].is_number_integer());
  EXPECT_EQ(report["error_count"], 0);
  EXPECT_EQ(report["errors"], json::array());
}

// What arrives on a device, which on this machine may only be the host.
TEST_F(CliVerify, OnADevice) {
  json report = verify_json({"--device", "host"});
  EXPECT_EQ(report["ok"], true);
  EXPECT_EQ(report["reason"], "--device; hashed on host");
  EXPECT_GE(report["bytes"].get<std::uint64_t>(), 80'000u);
  EXPECT_EQ(report["chunks"], verify_json()["chunks"]);
  flip(file_, 4096 + 1000);
  report = verify_json({"--device", "host"});
  EXPECT_EQ(verify({"--device", "host"}).exit, 2);
  const json expected = verify_json()["errors"];
  ASSERT_EQ(report["errors"].size(), expected.size());
  for (const char* key : {"code", "region", "tensor", "chunk", "begin", "end"}) {
    EXPECT_EQ(report["errors"][0][key], expected[0][key]) << key;
  }
  EXPECT_EQ(verify({"--device", "tpu"}).exit, 64);
}

TEST_F(CliVerify, DamageIsNamed) {
  flip(file_, 4096 + 1000);
  const CommandResult result = verify({});
  EXPECT_EQ(result.exit, 2);
  EXPECT_THAT(result.err, HasSubstr("ingot: checksum mismatch: "));
  EXPECT_THAT(result.err, HasSubstr("tensor \"embed.weight\" chunk 1/1 bytes [4096, 84096)"));
  EXPECT_THAT(result.out, HasSubstr("damaged, 1 error"));
  const json error = verify_json()["errors"][0];
  EXPECT_EQ(error["code"], "checksum mismatch");
  EXPECT_EQ(error["region"], "data");
  EXPECT_EQ(error["tensor"], "embed.weight");
  EXPECT_EQ(error["chunk"], 0);
  EXPECT_EQ(error["begin"], 4096);
  EXPECT_EQ(error["end"], 84096);
}

TEST_F(CliVerify, EveryWayOfReadingFindsIt) {
  for (const std::string way : {"--mapping", "--read", "--direct"}) {
    const json intact = verify_json({way});
    if (way == "--direct" && intact["ok"] == false) continue;  // no O_DIRECT on this file system
    EXPECT_EQ(intact["ok"], true) << way;
    EXPECT_EQ("--" + intact["path"].get<std::string>(), way);
    flip(file_, 5000);
    EXPECT_EQ(verify({way}).exit, 2) << way;
    flip(file_, 5000);
  }
}

// Whether nothing of a file is in memory now, and O_DIRECT can bring it: not on every file system.
bool put_out_of_memory(const std::string& path) {
  auto file = *io::posix().open(path, io::Access::kReadWrite);
  if (!file->sync().ok() || !file->advise(io::Advice::kDontNeed, 0, 0).ok()) return false;
  const std::uint64_t bytes = file->stat()->bytes;
  const auto mapping = *file->map(0, bytes, io::MapMode::kReadOnly);
  return *mapping->resident(0, bytes) == 0 && file->reopen_direct().ok();
}

TEST_F(CliVerify, WhatIsNotInMemoryIsReadPastThePageCache) {
  const std::string large = scratch_.path("large.ingot");
  const auto verified = [&] { return json::parse(run_ingot({"verify", "--json", large}).out); };
  ASSERT_OK(IngotFile().tensor("w", DType::kUInt8, {3 << 20}, pattern(3 << 20)).write(large));
  EXPECT_EQ(verified()["path"], "mapping");
  if (!put_out_of_memory(large)) GTEST_SKIP() << "no O_DIRECT, or no way out of the page cache";
  const json report = verified();
  EXPECT_EQ(report["ok"], true);
  EXPECT_EQ(report["path"], "direct");
  EXPECT_THAT(report["reason"].get<std::string>(), HasSubstr("% of it is in memory"));
}

TEST_F(CliVerify, KeepGoingFindsAll) {
  flip(file_, 5000);
  const std::string whole = read_file(file_);
  const std::size_t config = whole.find("{\"hidden_size\"");
  flip(file_, config);
  EXPECT_EQ(verify_json()["errors"].size(), 1u);
  const json report = verify_json({"--keep-going"});
  EXPECT_EQ(report["error_count"], 2);
  EXPECT_EQ(report["errors"][1]["tensor"], "config.json");
}

TEST_F(CliVerify, OneTensorAtATime) {
  flip(file_, 5000);
  EXPECT_EQ(verify({"--tensor", "norm.running_mean", "--tensor", "adamw.step"}).exit, 0);
  EXPECT_EQ(verify({"--tensor", "norm.running_mean", "--tensor", "head.weight"}).exit, 2);
  EXPECT_EQ(verify({"--tensor", "nothing"}).exit, 4);
}

TEST_F(CliVerify, TheIndexAlone) {
  flip(file_, 5000);
  EXPECT_EQ(verify({"--level", "index"}).exit, 0);
  EXPECT_EQ(verify({"--level", "full"}).exit, 2);
}

TEST_F(CliVerify, PaddingIsChecked) {
  const json listing =
      json::parse(run_ingot({"inspect", "--json", "--tensors", "--name", "transposed", file_}).out);
  const json& tensor = listing["tensors"][0];
  const auto padding = tensor["offset"].get<std::uint64_t>() + tensor["bytes"].get<std::uint64_t>();
  ASSERT_NE(padding % 16, 0u);  // so that some follows
  flip(file_, padding);
  const json report = verify_json();
  EXPECT_EQ(report["errors"][0]["code"], "corrupt");
  EXPECT_EQ(report["errors"][0]["region"], "padding");
}

TEST_F(CliVerify, WhatDoesNotOpenIsInTheSameShape) {
  const std::string whole = read_file(file_);
  write_file(file_, std::string_view(whole).substr(0, whole.size() / 2));
  const CommandResult result = verify({"--json"});
  EXPECT_EQ(result.exit, 3);
  const json report = json::parse(result.out);
  EXPECT_EQ(report["ok"], false);
  EXPECT_EQ(report["error_count"], 1);
  EXPECT_EQ(report["errors"][0]["code"], "truncated");
}

TEST_F(CliVerify, SeveralFilesAndTheWorstCode) {
  const std::string damaged = scratch_.path("damaged.ingot");
  ASSERT_OK(sample_model().write(damaged));
  flip(damaged, 5000);
  const CommandResult result =
      run_ingot({"verify", "--json", scratch_.path("missing"), damaged, file_});
  EXPECT_EQ(result.exit, 2);
  const json reports = json::parse(result.out);
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports[0]["errors"][0]["code"], "not found");
  EXPECT_EQ(reports[1]["ok"], false);
  EXPECT_EQ(reports[2]["ok"], true);
  EXPECT_EQ(run_ingot({"verify", scratch_.path("missing"), file_}).exit, 4);
  EXPECT_EQ(run_ingot({"verify", file_, file_}).exit, 0);
}

TEST_F(CliVerify, SafetensorsHasNothingToVerify) {
  SafetensorsFile().tensor("w", "U8", {1}, pattern(1)).write(scratch_.path("m.safetensors"));
  EXPECT_EQ(run_ingot({"verify", scratch_.path("m.safetensors")}).exit, 5);
}

}  // namespace
}  // namespace ingot::testing
