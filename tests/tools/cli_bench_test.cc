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
using ::testing::Not;

class CliBench : public ::testing::Test {
 protected:
  CliBench() { EXPECT_OK(sample_model().write(file_)); }
  CommandResult load(std::vector<std::string> options) const {
    options.insert(options.begin(), {"bench", "load", file_, "--repetitions", "1"});
    return run_ingot(options);
  }
  json load_json(std::vector<std::string> options) const {
    options.push_back("--json");
    const CommandResult result = load(options);
    EXPECT_EQ(result.exit, 0) << result.err;
    return json::parse(result.out);
  }
  Scratch scratch_;
  std::string file_ = scratch_.path("model.ingot");
};

TEST_F(CliBench, PrintsLoadCeilingAndMemory) {
  const CommandResult result = load({});
  EXPECT_EQ(result.exit, 0);
  for (const char* text : {"load", "ceiling", "memcpy", "transport", "staging", "verified"}) {
    EXPECT_THAT(result.out, HasSubstr(text));
  }
}

TEST_F(CliBench, EveryTransportOfTheHostBringsAndProvesTheSame) {
  const json first = load_json({});
  EXPECT_GT(first["bytes"], 0);
  EXPECT_GT(first["bytes_verified"], 0);  // all but padding
  EXPECT_LE(first["bytes_verified"], first["bytes"]);
  for (const char* transport : {"page-cache", "read", "registered-mapping"}) {
    for (const char* verify : {"touched", "on-device"}) {
      const json found = load_json({"--transport", transport, "--verify", verify});
      EXPECT_EQ(found["transport"], transport);
      EXPECT_EQ(found["verify"], verify);
      EXPECT_EQ(found["bytes"], first["bytes"]);
      EXPECT_EQ(found["bytes_verified"], first["bytes_verified"]);
    }
  }
  EXPECT_EQ(load_json({"--verify", "none"})["bytes_verified"], 0);
  EXPECT_GT(load_json({"--in-place"})["bytes"], 0);
}

TEST_F(CliBench, PathsDoNotSteerTheTerminal) {
  const std::string file = scratch_.path("\x1b[2Jmodel\n.ingot");
  ASSERT_OK(sample_model().write(file));
  const CommandResult result = run_ingot({"bench", "load", file, "--repetitions", "1"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\\x1b[2Jmodel\\x0a.ingot: "));
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
}

TEST_F(CliBench, DamageEndsIt) {
  flip(file_, 5000);
  const CommandResult result = load({});
  EXPECT_EQ(result.exit, 2);
  EXPECT_THAT(result.err, HasSubstr("tensor \""));
  EXPECT_EQ(load({"--verify", "none"}).exit, 0);
}

TEST_F(CliBench, WhatCannotBeHadSaysWhy) {
  const CommandResult small = load({"--budget", "4096", "--in-place"});
  EXPECT_THAT(small.err, HasSubstr("budget"));
  EXPECT_EQ(small.exit, 4);
  EXPECT_EQ(run_ingot({"bench", "load", scratch_.path("missing")}).exit, 4);
}

}  // namespace
}  // namespace ingot::testing
