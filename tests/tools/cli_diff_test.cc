#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/exact.h"
#include "tests/tools/run_command.h"
#include "tests/tools/samples.h"

namespace ingot::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CliDiff : public ::testing::Test {
 protected:
  CliDiff() {
    IngotFile a;
    a.tensor("same", DType::kUInt8, {3}, pattern(3));
    a.tensor("changed", DType::kFloat32, {2, 2}, bytes_of<float>({1, 2, 3, 4}));
    a.tensor("nan", DType::kFloat32, {2}, bytes_of<float>({1, nan}));
    a.tensor("removed", DType::kInt64, {1}, pattern(8));
    a.tensor("retyped", DType::kFloat32, {1}, bytes_of<float>({1}));
    a.tensor("reshaped", DType::kUInt8, {2, 3}, pattern(6));
    a.attachment("config.json", "application/json", "{}");
    a.state(state(1));
    EXPECT_OK(a.write(a_));
    IngotFile b;
    b.tensor("same", DType::kUInt8, {3}, pattern(3));
    b.tensor("changed", DType::kFloat32, {2, 2}, bytes_of<float>({1, 2.5, 3, 3.75}));
    b.tensor("nan", DType::kFloat32, {2}, bytes_of<float>({nan, nan}));
    b.tensor("added", DType::kInt64, {1}, pattern(8));
    b.tensor("retyped", DType::kFloat64, {1}, bytes_of<double>({1}));
    b.tensor("reshaped", DType::kUInt8, {3, 2}, pattern(6));
    b.attachment("config.json", "application/json", "[]");
    b.state(state(2));
    EXPECT_OK(b.write(b_));
  }
  static StateValue state(std::int64_t step) {
    StateValue root = StateValue::dict();
    root.set("step", StateValue::integer(step));
    return root;
  }

  static constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  Scratch scratch_;
  std::string a_ = scratch_.path("a.ingot");
  std::string b_ = scratch_.path("b.ingot");
};

TEST_F(CliDiff, EqualFiles) {
  const CommandResult result = run_ingot({"diff", a_, a_});
  EXPECT_EQ(result.exit, 0);
  EXPECT_EQ(result.out, "equal: 6 tensors\n");
}

TEST_F(CliDiff, DifferentFiles) {
  const CommandResult result = run_ingot({"diff", a_, b_});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.err, IsEmpty());
  expect_exact("diff", result.out);
}

TEST_F(CliDiff, WithoutValues) {
  expect_exact("diff_no_values", run_ingot({"diff", "--no-values", a_, b_}).out);
}

TEST_F(CliDiff, NamesOnly) {
  const CommandResult result = run_ingot({"diff", "--names-only", a_, b_});
  EXPECT_EQ(result.exit, 1);
  expect_exact("diff_names_only", result.out);
}

TEST_F(CliDiff, JsonShape) {
  json report = json::parse(run_ingot({"diff", "--json", a_, b_}).out);
  EXPECT_TRUE(report["seconds"].is_number());
  report.erase("seconds");
  expect_exact("diff_json", replaced(report.dump(2), scratch_.folder(), "DIR") + "\n");
}

TEST_F(CliDiff, EqualAsJson) {
  const CommandResult result = run_ingot({"diff", "--json", a_, a_});
  EXPECT_EQ(result.exit, 0);
  const json report = json::parse(result.out);
  EXPECT_EQ(report["equal"], true);
  EXPECT_EQ(report["tensors"], json::array());
  EXPECT_EQ(report["bytes_read"], 0);
}

TEST_F(CliDiff, TroubleIsNotADifference) {
  EXPECT_EQ(run_ingot({"diff", a_, scratch_.path("missing.ingot")}).exit, 4);
  flip(b_, 100);
  EXPECT_EQ(run_ingot({"diff", a_, b_}).exit, 2);
}

TEST_F(CliDiff, SafetensorsOnEitherSide) {
  const std::string st = scratch_.path("x.safetensors");
  SafetensorsFile().tensor("w", "U8", {3}, pattern(3)).write(st);
  ASSERT_EQ(run_ingot({"convert", st, scratch_.path("x.ingot")}).exit, 0);
  EXPECT_EQ(run_ingot({"diff", st, scratch_.path("x.ingot")}).exit, 0);
  EXPECT_EQ(run_ingot({"diff", scratch_.path("x.ingot"), st}).exit, 0);
  SafetensorsFile().tensor("w", "U8", {3}, pattern(3, 2)).write(st);
  EXPECT_EQ(run_ingot({"diff", scratch_.path("x.ingot"), st}).exit, 1);
}

}  // namespace
}  // namespace ingot::testing
