#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/peak_memory.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/exact.h"
#include "tests/tools/run_command.h"
#include "tests/tools/samples.h"

namespace ingot::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class CliConvert : public ::testing::Test {
 protected:
  CliConvert() {
    SafetensorsFile()
        .metadata("format", "pt")
        .tensor("w", "F32", {2, 2}, pattern(16))
        .tensor("b", "U8", {5}, pattern(5))
        .write(path("in.safetensors"));
  }
  std::string path(std::string_view name) const { return scratch_.path(name); }
  CommandResult convert(const std::string& in, const std::string& out,
                        std::vector<std::string> options = {}) const {
    options.insert(options.begin(), {"convert", path(in), path(out)});
    return run_ingot(options);
  }
  Scratch scratch_;
};

TEST_F(CliConvert, ThereAndBack) {
  const CommandResult there = convert("in.safetensors", "m.ingot");
  EXPECT_EQ(there.exit, 0);
  EXPECT_THAT(there.err, IsEmpty());
  EXPECT_THAT(there.out, HasSubstr("m.ingot: 2 tensors, 21 B; "));
  EXPECT_EQ(convert("m.ingot", "back.safetensors").exit, 0);
  EXPECT_EQ(read_file(path("back.safetensors")), read_file(path("in.safetensors")));
}

TEST_F(CliConvert, ForceReplacesRegularFilesAlone) {
  ASSERT_EQ(::mkfifo(path("fifo.ingot").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("target.ingot", path("link.ingot").c_str()), 0);
  write_file(path("target.ingot"), "precious");
  for (const auto& [name, kind] :
       {std::pair{"fifo.ingot", "a FIFO"}, {"link.ingot", "a symbolic link"}}) {
    const CommandResult result = convert("in.safetensors", name, {"--force"});
    EXPECT_EQ(result.exit, 4);
    EXPECT_THAT(result.err,
                HasSubstr(path(name) + ": only a regular file is ever replaced: found " + kind));
  }
  EXPECT_TRUE(std::filesystem::is_fifo(path("fifo.ingot")));
  EXPECT_TRUE(std::filesystem::is_symlink(path("link.ingot")));
  EXPECT_EQ(read_file(path("target.ingot")), "precious");
}

// The process's limit (ulimit -f) is no full disk.
TEST_F(CliConvert, FilesThatAreTooLarge) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const CommandResult result = convert("in.safetensors", "m.ingot");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(result.exit, 4);
  EXPECT_THAT(result.err, HasSubstr(path("m.ingot") + ": need "));
  EXPECT_THAT(result.err, HasSubstr("more than a file may have here"));
  EXPECT_FALSE(std::filesystem::exists(path("m.ingot")));
}

TEST_F(CliConvert, ForceKeepsThePermissions) {
  using std::filesystem::perms;
  for (const char* const out : {"m.ingot", "back.safetensors"}) {
    const std::string in = std::string_view(out) == "m.ingot" ? "in.safetensors" : "m.ingot";
    write_file(path(out), "old");
    std::filesystem::permissions(path(out), perms::owner_read | perms::owner_write);
    ASSERT_EQ(convert(in, out, {"--force"}).exit, 0);
    EXPECT_EQ(std::filesystem::status(path(out)).permissions(),
              perms::owner_read | perms::owner_write);
  }
}

TEST_F(CliConvert, JsonShape) {
  write_file(path("config.json"), "{}");
  const json report = json::parse(
      convert("in.safetensors", "m.ingot", {"--json", "--attach", path("config.json")}).out);
  EXPECT_EQ(report["ok"], true);
  EXPECT_EQ(report["input"], path("in.safetensors"));
  EXPECT_EQ(report["output"], path("m.ingot"));
  EXPECT_THAT(report["files"], ElementsAre(path("m.ingot")));
  EXPECT_EQ(report["tensors"], 2);
  EXPECT_EQ(report["attachments"], 1);
  EXPECT_EQ(report["bytes"], 23);
  EXPECT_EQ(report["file_bytes"], std::filesystem::file_size(path("m.ingot")));
  EXPECT_TRUE(report["seconds"].is_number());
  EXPECT_EQ(report["dropped"], json::array());
  EXPECT_EQ(report["removed"], json::array());
  EXPECT_EQ(report["duplicated"], json::array());
  EXPECT_TRUE(report["io_path"].is_string());
  EXPECT_TRUE(report["io_reason"].is_string());
}

TEST_F(CliConvert, EqualInputsMakeEqualFiles) {
  EXPECT_EQ(convert("in.safetensors", "a.ingot").exit, 0);
  EXPECT_EQ(convert("in.safetensors", "b.ingot", {"--threads", "3", "--no-fsync"}).exit, 0);
  EXPECT_EQ(read_file(path("a.ingot")), read_file(path("b.ingot")));
}

TEST_F(CliConvert, OptionsOfTheWriter) {
  EXPECT_EQ(convert("in.safetensors", "m.ingot",
                    {"--chunk-size", "64KiB", "--alignment", "2MiB", "--sha256", "--no-fsync"})
                .exit,
            0);
  const json facts = json::parse(run_ingot({"inspect", "--json", path("m.ingot")}).out);
  EXPECT_EQ(facts["chunk_bytes"], 65536);
  EXPECT_EQ(facts["alignment"], 2 << 20);
  EXPECT_TRUE(facts["root_sha256"].is_string());
  EXPECT_EQ(convert("in.safetensors", "n.ingot", {"--chunk-size", "65537"}).exit, 64);
}

TEST_F(CliConvert, ExistingFilesStayUnlessForced) {
  for (const std::string out : {"m.ingot", "m.safetensors"}) {
    const std::string in = out == "m.ingot" ? "in.safetensors" : "m.ingot";
    write_file(path(out), "precious");
    const CommandResult refused = convert(in, out);
    EXPECT_EQ(refused.exit, 4);
    EXPECT_THAT(refused.err, StartsWith("ingot: already exists: "));
    EXPECT_EQ(read_file(path(out)), "precious");
    EXPECT_EQ(convert(in, out, {"--force"}).exit, 0);
    EXPECT_NE(read_file(path(out)), "precious");
  }
}

TEST_F(CliConvert, AFolderIsNoFile) {
  std::filesystem::create_directory(path("folder"));
  ASSERT_EQ(convert("in.safetensors", "m.ingot").exit, 0);
  const CommandResult result = convert("m.ingot", "folder");
  EXPECT_EQ(result.exit, 64);
  EXPECT_THAT(result.err, HasSubstr("--shard-size"));
}

TEST_F(CliConvert, WhatIsLeftOutIsTold) {
  ASSERT_OK(sample_model().write(path("m.ingot")));
  const CommandResult refused = convert("m.ingot", "out.safetensors");
  EXPECT_EQ(refused.exit, 5);
  expect_exact("convert_refused", replaced(refused.err, scratch_.folder(), "DIR"));
  const CommandResult done =
      convert("m.ingot", "out.safetensors", {"--drop-extra", "--duplicate-tied"});
  EXPECT_EQ(done.exit, 0);
  expect_exact("convert_notes", done.err);
  const json report = json::parse(
      convert("m.ingot", "j.safetensors", {"--drop-extra", "--duplicate-tied", "--json"}).out);
  EXPECT_EQ(report["dropped"].size(), 4u);
  EXPECT_THAT(report["duplicated"], ElementsAre("embed.weight", "head.weight"));
  EXPECT_THAT(
      convert("m.ingot", "q.safetensors", {"--drop-extra", "--duplicate-tied", "--quiet"}).err,
      IsEmpty());
}

TEST_F(CliConvert, Shards) {
  ASSERT_EQ(convert("in.safetensors", "m.ingot").exit, 0);
  const json report = json::parse(convert("m.ingot", "out", {"--json", "--shard-size", "16"}).out);
  EXPECT_EQ(report["files"].size(), 3u);
  EXPECT_THAT(names_in(path("out")),
              ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                          "model.safetensors.index.json"));
  EXPECT_EQ(convert("out", "again.ingot").exit, 0);
  EXPECT_EQ(run_ingot({"diff", path("m.ingot"), path("again.ingot")}).exit, 0);
  EXPECT_EQ(convert("out/model.safetensors.index.json", "third.ingot").exit, 0);
}

TEST_F(CliConvert, AnOlderModelOfTheOtherShapeIsNotLeftInForce) {
  ASSERT_EQ(convert("in.safetensors", "m.ingot").exit, 0);
  ASSERT_EQ(convert("m.ingot", "out", {"--shard-size", "16"}).exit, 0);
  const CommandResult refused = convert("m.ingot", "out", {"--shard-size", "1GB"});
  EXPECT_EQ(refused.exit, 4);
  EXPECT_THAT(
      refused.err,
      StartsWith("ingot: already exists: " + path("out/model.safetensors.index.json") + ": "));
  EXPECT_THAT(refused.err, HasSubstr("--force"));
  EXPECT_EQ(names_in(path("out")).size(), 3u);

  const CommandResult forced = convert("m.ingot", "out", {"--shard-size", "1GB", "--force"});
  EXPECT_EQ(forced.exit, 0);
  EXPECT_THAT(forced.err, HasSubstr("note: removed of the older export: " +
                                    path("out/model.safetensors.index.json") + ", "));
  EXPECT_THAT(names_in(path("out")), ElementsAre("model.safetensors"));
  const json report =
      json::parse(convert("m.ingot", "out", {"--shard-size", "16", "--force", "--json"}).out);
  EXPECT_THAT(report["removed"], ElementsAre(path("out/model.safetensors")));
  EXPECT_EQ(names_in(path("out")).size(), 3u);
}

TEST_F(CliConvert, AFolderWithTwoModelsIsAmbiguous) {
  ASSERT_EQ(convert("in.safetensors", "m.ingot").exit, 0);
  ASSERT_EQ(convert("m.ingot", "out", {"--shard-size", "16"}).exit, 0);
  std::filesystem::copy(path("in.safetensors"), path("out/model.safetensors"));
  const CommandResult refused = convert("out", "again.ingot");
  EXPECT_EQ(refused.exit, 64);
  EXPECT_THAT(refused.err, HasSubstr("name the one that is meant"));
  EXPECT_EQ(run_ingot({"diff", path("out"), path("m.ingot")}).exit, 64);
  for (const std::string one : {"out/model.safetensors", "out/model.safetensors.index.json"}) {
    EXPECT_EQ(run_ingot({"diff", path(one), path("m.ingot")}).exit, 0) << one;
  }
}

TEST_F(CliConvert, SymbolicLinksAreAllowedWhenAsked) {
  ASSERT_EQ(convert("in.safetensors", "m.ingot").exit, 0);
  ASSERT_EQ(convert("m.ingot", "out", {"--shard-size", "16"}).exit, 0);
  const std::string shard = path("out/model-00001-of-00002.safetensors");
  std::filesystem::rename(shard, path("blob"));
  std::filesystem::create_symlink("../blob", shard);
  const CommandResult refused = convert("out", "again.ingot");
  EXPECT_EQ(refused.exit, 6);
  EXPECT_THAT(refused.err, HasSubstr("--follow-symlinks"));
  EXPECT_EQ(convert("out", "again.ingot", {"--follow-symlinks"}).exit, 0);
}

TEST_F(CliConvert, InputsOfTheUserMayBeLinks) {
  std::filesystem::create_symlink("in.safetensors", path("link.safetensors"));
  EXPECT_EQ(convert("link.safetensors", "m.ingot").exit, 0);
}

TEST_F(CliConvert, HostileInputsHaveTheirCodes) {
  const auto code_of = [&](std::string_view content) {
    write_file(path("bad.safetensors"), content);
    return convert("bad.safetensors", "bad.ingot").exit;
  };
  EXPECT_EQ(code_of(""), 3);
  EXPECT_EQ(code_of(std::string_view("\x02\0\0\0\0\0\0\0[]", 10)), 2);
  EXPECT_EQ(code_of(std::string_view("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10)), 6);
  const std::string good = read_file(path("in.safetensors"));
  EXPECT_EQ(code_of(good.substr(0, good.size() - 1)), 3);
  EXPECT_EQ(code_of(good + "x"), 3);
  EXPECT_EQ(code_of(replaced(good, "\"U8\"", "\"Q8\"")), 5);
  EXPECT_EQ(convert("missing.safetensors", "bad.ingot").exit, 4);
  EXPECT_FALSE(std::filesystem::exists(path("bad.ingot")));
}

TEST_F(CliConvert, DamageIsNotCarriedOver) {
  ASSERT_EQ(convert("in.safetensors", "m.ingot").exit, 0);
  flip(path("m.ingot"), 4096);
  EXPECT_EQ(convert("m.ingot", "out.safetensors").exit, 2);
  EXPECT_FALSE(std::filesystem::exists(path("out.safetensors")));
}

// 384 MiB of tensors, both ways.
TEST(CliConvertMemory, TheModelIsNeverHeld) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes memory of its own";
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  const Scratch scratch;
  const std::string from = scratch.path("model.safetensors");
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[201326592],"data_offsets":[0,201326592]},)"
      R"("b":{"dtype":"U8","shape":[201326592],"data_offsets":[201326592,402653184]}})";
  {
    std::ofstream file(from, std::ios::binary);
    const std::uint64_t length = header.size();
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << header;
  }
  std::filesystem::resize_file(from, 8 + header.size() + 384 * kMiB);  // zeros, and no blocks
  const std::string ingot = scratch.path("model.ingot");
  const CommandResult in = run_ingot({"convert", "--no-fsync", from, ingot});
  EXPECT_EQ(in.exit, 0) << in.err;
  EXPECT_LE(in.peak_rss_bytes, 128 * kMiB);
  const CommandResult out =
      run_ingot({"convert", "--no-fsync", ingot, scratch.path("back.safetensors")});
  EXPECT_EQ(out.exit, 0) << out.err;
  EXPECT_LE(out.peak_rss_bytes, 128 * kMiB);
}

}  // namespace
}  // namespace ingot::testing
