#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ingot/checkpoint.h"

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

class CliInspect : public ::testing::Test {
 protected:
  CliInspect() { EXPECT_OK(sample_model().write(file_)); }

  CommandResult inspect(std::vector<std::string> options) const {
    options.insert(options.begin(), {"inspect", file_});
    return run_ingot(options);
  }
  // What depends on the content's digests and on the place becomes a word.
  std::string neutral(std::string text) const {
    Result<Checkpoint> checkpoint = Checkpoint::open(file_);
    EXPECT_OK(checkpoint.status());
    text = replaced(text, file_, "MODEL");
    text = replaced(text, to_string(checkpoint->file().root), "ROOT");
    for (const auto& [id, word] : {std::pair{checkpoint->file().uuid, "UUID"},
                                   std::pair{checkpoint->file().save_id, "SAVE_ID"}}) {
      std::string digits;
      for (const std::uint8_t byte : id) {
        digits += "0123456789abcdef"[byte >> 4];
        digits += "0123456789abcdef"[byte & 15];
      }
      text = replaced(text, digits, word);
    }
    return text;
  }
  std::vector<std::string> listed(std::vector<std::string> options) const {
    options.insert(options.begin(), {"--json", "--tensors"});
    std::vector<std::string> names;
    const json listing = json::parse(inspect(options).out);
    for (const json& tensor : listing["tensors"]) {
      names.push_back(tensor["name"]);
    }
    return names;
  }

  Scratch scratch_;
  std::string file_ = scratch_.path("model.ingot");
};

TEST_F(CliInspect, Summary) {
  const CommandResult result = inspect({});
  EXPECT_EQ(result.exit, 0);
  EXPECT_THAT(result.err, IsEmpty());
  expect_exact("inspect_summary", neutral(result.out));
}

TEST_F(CliInspect, SummaryAsJson) {
  const json summary = json::parse(inspect({"--json"}).out);
  expect_exact("inspect_summary_json", neutral(summary.dump(2)) + "\n");
}

TEST_F(CliInspect, EveryByteIsAccountedFor) {
  const json s = json::parse(inspect({"--json"}).out);
  EXPECT_EQ(
      s["file_bytes"].get<std::uint64_t>(),
      2 * 4096 + s["padding_bytes"].get<std::uint64_t>() + s["index_bytes"].get<std::uint64_t>() +
          s["digest_table_bytes"].get<std::uint64_t>() + s["tensor_bytes"].get<std::uint64_t>() +
          s["attachment_bytes"].get<std::uint64_t>());
}

TEST_F(CliInspect, Sha256RootIsShown) {
  ASSERT_OK(sample_model().write(file_, {.sha256 = true}));
  const json summary = json::parse(inspect({"--json"}).out);
  EXPECT_EQ(summary["root_sha256"].get<std::string>().size(), 64u);
  EXPECT_THAT(summary["features"], ElementsAre("sha256"));
  EXPECT_THAT(inspect({}).out, HasSubstr("SHA-256 root"));
}

TEST_F(CliInspect, Listing) { expect_exact("inspect_tensors", inspect({"--tensors"}).out); }

TEST_F(CliInspect, ListingAsJson) {
  const json listing = json::parse(inspect({"--json", "--tensors"}).out);
  expect_exact("inspect_tensors_json", neutral(listing.dump(2)) + "\n");
}

TEST_F(CliInspect, Filters) {
  EXPECT_THAT(listed({"--role", "buffer"}), ElementsAre("norm.running_mean"));
  EXPECT_THAT(listed({"--role", "optimizer_state"}), ElementsAre("adamw.step"));
  EXPECT_THAT(listed({"--dtype", "float32"}), ElementsAre("embed.weight", "head.weight"));
  EXPECT_THAT(listed({"--prefix", "norm."}), ElementsAre("norm.running_mean"));
  EXPECT_THAT(listed({"--name", "*.weight"}), ElementsAre("embed.weight", "head.weight"));
  EXPECT_THAT(listed({"--name", "[!e]*.weight"}), ElementsAre("head.weight"));
  EXPECT_THAT(listed({"--name", "*.weight", "--limit", "1"}), ElementsAre("embed.weight"));
  EXPECT_THAT(listed({"--limit", "0"}), IsEmpty());
  EXPECT_THAT(listed({"--prefix", "none"}), IsEmpty());
}

TEST_F(CliInspect, Orders) {
  EXPECT_THAT(
      listed({"--sort", "registration"}),
      ElementsAre("embed.weight", "head.weight", "norm.running_mean", "transposed", "adamw.step"));
  EXPECT_THAT(listed({"--sort", "name"}), ElementsAre("adamw.step", "embed.weight", "head.weight",
                                                      "norm.running_mean", "transposed"));
  EXPECT_THAT(
      listed({"--sort", "size"}),
      ElementsAre("embed.weight", "head.weight", "norm.running_mean", "transposed", "adamw.step"));
}

TEST_F(CliInspect, State) { expect_exact("inspect_state", inspect({"--state"}).out); }

TEST_F(CliInspect, StateAsJson) {
  const json state = json::parse(inspect({"--json", "--state"}).out)["state"];
  EXPECT_EQ(state["epoch"], 3);
  EXPECT_EQ(state["optimizer"]["step"]["tensor"], "adamw.step");
  EXPECT_THAT(state["optimizer"]["betas"]["tuple"], ElementsAre(0.9, 0.999));
}

TEST_F(CliInspect, Attachment) {
  expect_exact("inspect_attachment", inspect({"--attachment", "config.json"}).out);
  const json facts = json::parse(inspect({"--json", "--attachment", "config.json"}).out);
  EXPECT_EQ(facts["attachment"]["media_type"], "application/json");
  EXPECT_EQ(facts["attachment"]["bytes"], 21);
  const CommandResult missing = inspect({"--attachment", "nothing"});
  EXPECT_EQ(missing.exit, 4);
  EXPECT_THAT(missing.err, HasSubstr("no attachment \"nothing\""));
}

TEST_F(CliInspect, NumbersThatJsonLacks) {
  StateValue root = StateValue::dict();
  root.set("nan", StateValue::real(std::numeric_limits<double>::quiet_NaN()));
  root.set("inf", StateValue::real(-std::numeric_limits<double>::infinity()));
  root.set("bytes", StateValue::bytes(pattern(100)));
  StateValue numbered = StateValue::dict();
  numbered.set(7, StateValue::null());
  root.set("numbered", std::move(numbered));
  ASSERT_OK(IngotFile().state(std::move(root)).write(file_));
  const json state = json::parse(inspect({"--json", "--state"}).out)["state"];
  EXPECT_EQ(state["nan"], "nan");
  EXPECT_EQ(state["inf"], "-inf");
  EXPECT_EQ(state["bytes"]["bytes"], 100);
  EXPECT_EQ(state["bytes"]["hex"].get<std::string>().size(), 128u);
  EXPECT_EQ(state["numbered"]["dict"][0][0], 7);
}

TEST_F(CliInspect, AFileWithoutStateSaysSo) {
  ASSERT_OK(IngotFile().write(file_));
  EXPECT_EQ(inspect({"--state"}).out, "no state\n");
  EXPECT_TRUE(json::parse(inspect({"--json", "--state"}).out)["state"].is_null());
}

TEST_F(CliInspect, Optimizer) {
  ASSERT_OK(sample_training().write(file_));
  const CommandResult result = inspect({"--optimizer"});
  EXPECT_EQ(result.exit, 0);
  EXPECT_THAT(result.err, IsEmpty());
  expect_exact("inspect_optimizer", result.out);
}

TEST_F(CliInspect, OptimizerAsJson) {
  ASSERT_OK(sample_training().write(file_));
  const json optimizers = json::parse(inspect({"--json", "--optimizer"}).out);
  expect_exact("inspect_optimizer_json", neutral(optimizers.dump(2)) + "\n");
}

TEST_F(CliInspect, AFileWithoutOptimizersSaysSo) {
  const CommandResult result = inspect({"--optimizer"});
  EXPECT_EQ(result.exit, 0);
  EXPECT_EQ(result.out, "no optimizer\n");
  EXPECT_EQ(json::parse(inspect({"--json", "--optimizer"}).out)["optimizers"], json::array());
}

// Names that are no tensors' may hold what a terminal would obey; what is long is not listed.
TEST_F(CliInspect, OptimizersWithStrangeNames) {
  StateValue group = StateValue::dict();
  group.set("esc\x1b[31m", StateValue::list(std::vector<StateValue>(9, StateValue::null())));
  group.set("", StateValue::list({StateValue::dict()}));
  group.set("empty", StateValue::tuple());
  group.set("params", StateValue::list());
  group.set("param_names", StateValue::list());
  StateValue optimizer = StateValue::dict();
  optimizer.set("class", StateValue::string("a\nb"));
  optimizer.set("state", StateValue::dict());
  optimizer.set("param_groups", StateValue::list({std::move(group)}));
  StateValue optimizers = StateValue::dict();
  optimizers.set("o\x1b", optimizer);
  optimizers.set("second", std::move(optimizer));
  StateValue root = StateValue::dict();
  root.set("optimizers", std::move(optimizers));
  ASSERT_OK(IngotFile().state(std::move(root)).write(file_));
  expect_exact("inspect_optimizer_strange", inspect({"--optimizer"}).out);
  const json found = json::parse(inspect({"--json", "--optimizer"}).out)["optimizers"];
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["name"], "o\x1b");
  EXPECT_EQ(found[0]["groups"][0]["options"].size(), 3u);
  EXPECT_EQ(found[1]["name"], "second");
}

TEST_F(CliInspect, OptimizersThatFollowNoConventionAreRejected) {
  StateValue root = StateValue::dict();
  root.set("optimizers", StateValue::integer(1));
  ASSERT_OK(IngotFile().state(std::move(root)).write(file_));
  const CommandResult result = inspect({"--optimizer"});
  EXPECT_EQ(result.exit, 6);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, HasSubstr("\"optimizers\": of the wrong kind"));
  EXPECT_EQ(inspect({"--state"}).exit, 0);
}

TEST_F(CliInspect, SafetensorsIsToldHowToBecomeIngot) {
  SafetensorsFile().tensor("w", "U8", {1}, pattern(1)).write(file_ + ".safetensors");
  const CommandResult result = run_ingot({"inspect", file_ + ".safetensors"});
  EXPECT_EQ(result.exit, 5);
  EXPECT_THAT(result.err, HasSubstr("ingot convert"));
}

TEST_F(CliInspect, DamageAndTruncationHaveTheirCodes) {
  const std::string whole = read_file(file_);
  write_file(file_, std::string_view(whole).substr(0, whole.size() - 1));
  EXPECT_EQ(inspect({}).exit, 3);
  write_file(file_, whole);
  flip(file_, 100);
  EXPECT_EQ(inspect({}).exit, 2);
}

}  // namespace
}  // namespace ingot::testing
