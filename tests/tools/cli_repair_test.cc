#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/run_command.h"
#include "tests/tools/samples.h"

namespace ingot::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class CliRepair : public ::testing::Test {
 protected:
  CliRepair() {
    EXPECT_OK(sample_model().write(file_));
    original_ = read_file(file_);
  }
  CommandResult repair(std::vector<std::string> options = {}) const {
    options.insert(options.begin(), {"repair", file_});
    return run_ingot(options);
  }
  Scratch scratch_;
  std::string file_ = scratch_.path("model.ingot");
  std::string original_;
};

TEST_F(CliRepair, IntactFilesStay) {
  const CommandResult result = repair();
  EXPECT_EQ(result.exit, 0);
  EXPECT_THAT(result.out, HasSubstr("nothing to do"));
  EXPECT_EQ(read_file(file_), original_);
}

TEST_F(CliRepair, EitherHeaderIsRepaired) {
  for (const std::size_t offset : {std::size_t{40}, original_.size() - 100}) {
    flip(file_, offset);
    EXPECT_EQ(run_ingot({"verify", file_}).exit, 2);
    EXPECT_EQ(repair().exit, 0);
    EXPECT_EQ(read_file(file_), original_);
    EXPECT_EQ(run_ingot({"verify", file_}).exit, 0);
  }
}

TEST_F(CliRepair, ADryRunChangesNothing) {
  flip(file_, 40);
  const std::string damaged = read_file(file_);
  const CommandResult result = repair({"--dry-run"});
  EXPECT_EQ(result.exit, 2);
  EXPECT_THAT(result.out, HasSubstr("would be rewritten"));
  EXPECT_EQ(read_file(file_), damaged);
}

TEST_F(CliRepair, JsonShape) {
  flip(file_, 40);
  const json dry = json::parse(repair({"--json", "--dry-run"}).out);
  EXPECT_EQ(dry["ok"], false) << "as the exit code says";
  EXPECT_EQ(dry["file"], file_);
  EXPECT_EQ(dry["damaged"], "header");
  EXPECT_EQ(dry["repaired"], false);
  EXPECT_TRUE(dry["what"].is_string());
  EXPECT_EQ(json::parse(repair({"--json"}).out)["repaired"], true);
  EXPECT_EQ(json::parse(repair({"--json"}).out)["damaged"], "none");
}

TEST_F(CliRepair, WhatCannotBeRepairedIsAnError) {
  flip(file_, 40);
  flip(file_, original_.size() - 100);
  EXPECT_EQ(repair().exit, 2);
  write_file(file_, std::string_view(original_).substr(0, original_.size() - 8192));
  EXPECT_EQ(repair().exit, 3);
  EXPECT_EQ(run_ingot({"repair", scratch_.path("missing")}).exit, 4);
}

}  // namespace
}  // namespace ingot::testing
