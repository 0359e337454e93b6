// docs/cli.md and --help name the same options, and the JSON in the document is JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/run_command.h"
#include "tests/tools/samples.h"

namespace ingot::testing {
namespace {

std::string document() { return read_file(std::string(INGOT_SOURCE_DIR) + "/docs/cli.md"); }

// From one heading of level 2 to the next.
std::string section(const std::string& title) {
  const std::string text = document();
  const std::size_t begin = text.find("\n## " + title + "\n");
  EXPECT_NE(begin, std::string::npos) << title;
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find("\n## ", begin + 1) - begin);
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i) {
    found.insert((*i)[1]);
  }
  return found;
}

// Options at the start of a line of the help, and those of the tables' first column.
std::set<std::string> in_help(const std::string& command) {
  std::set<std::string> options;
  const std::string help = run_ingot({command, "--help"}).out;
  for (const std::string& names : matches(help, "(?:^|\n)  (-[-a-z0-9,]+)")) {
    options.merge(matches(names, "(--[a-z0-9-]+)"));
  }
  return options;
}
std::set<std::string> in_tables(const std::string& text) {
  std::set<std::string> options;
  for (const std::string& cell : matches(text, "\n\\| (`-[^|]*) \\|")) {
    options.merge(matches(cell, "(--[a-z0-9-]+)"));
  }
  return options;
}

TEST(CliDocs, EveryOptionIsDocumentedAndEveryDocumentedOptionExists) {
  const std::set<std::string> common = in_tables(section("Options of every command"));
  for (const std::string command :
       {"inspect", "verify", "convert", "diff", "extract", "repair", "bench"}) {
    std::set<std::string> documented = in_tables(section("ingot " + command));
    EXPECT_FALSE(documented.empty()) << command;
    documented.insert(common.begin(), common.end());
    EXPECT_EQ(in_help(command), documented) << command;
  }
}

TEST(CliDocs, ExamplesOfJsonAreJson) {
  const std::string text = document();
  const std::regex block("```json\n([^`]*)```");
  int count = 0;
  for (std::sregex_iterator i(text.begin(), text.end(), block), end; i != end; ++i, ++count) {
    EXPECT_TRUE(nlohmann::json::accept((*i)[1].str())) << (*i)[1];
  }
  EXPECT_EQ(count, 11);
}

// The shapes shown are those printed: the same keys, down to the first element of every array.
void expect_same_keys(const nlohmann::json& documented, const nlohmann::json& printed,
                      const std::string& where) {
  if (documented.is_object() && printed.is_object()) {
    std::set<std::string> keys_documented;
    std::set<std::string> keys_printed;
    for (const auto& [key, value] : documented.items()) keys_documented.insert(key);
    for (const auto& [key, value] : printed.items()) keys_printed.insert(key);
    EXPECT_EQ(keys_documented, keys_printed) << where;
    for (const auto& [key, value] : documented.items()) {
      if (printed.contains(key)) expect_same_keys(value, printed[key], where + "/" + key);
    }
  } else if (documented.is_array() && printed.is_array() && !documented.empty() &&
             !printed.empty()) {
    expect_same_keys(documented[0], printed[0], where + "/0");
  }
}

nlohmann::json example(const std::string& title, std::size_t number) {
  const std::string text = section(title);
  const std::regex block("```json\n([^`]*)```");
  std::sregex_iterator i(text.begin(), text.end(), block);
  std::advance(i, number);
  return nlohmann::json::parse((*i)[1].str());
}

TEST(CliDocs, ShapesAreThosePrinted) {
  const Scratch scratch;
  const std::string file = scratch.path("model.ingot");
  const std::string other = scratch.path("other.ingot");
  ASSERT_OK(sample_model().write(file));
  ASSERT_OK(IngotFile()
                .tensor("embed.weight", DType::kFloat32, {100, 200}, pattern(80'000, 3))
                .attachment("config.json", "application/json", "{}")
                .write(other));
  const auto printed = [](const std::vector<std::string>& arguments) {
    return nlohmann::json::parse(run_ingot(arguments).out);
  };
  expect_same_keys(example("ingot inspect", 0), printed({"inspect", "--json", file}), "inspect");
  expect_same_keys(example("ingot inspect", 1), printed({"inspect", "--json", "--tensors", file}),
                   "inspect --tensors");
  const std::string training = scratch.path("training.ingot");
  ASSERT_OK(sample_training().write(training));
  expect_same_keys(example("ingot inspect", 2),
                   printed({"inspect", "--json", "--optimizer", training}), "inspect --optimizer");
  const nlohmann::json diff = printed({"diff", "--json", other, file});
  nlohmann::json shown = example("ingot diff", 0);
  expect_same_keys(shown, diff, "diff");
  expect_same_keys(example("Options of every command", 0),
                   printed({"inspect", "--json", scratch.path("missing")}), "error");
  expect_same_keys(example("ingot repair", 0), printed({"repair", "--json", file}), "repair");
  expect_same_keys(example("ingot extract", 0),
                   printed({"extract", "--json", file, "embed.weight", "-o", scratch.path("x")}),
                   "extract");
  expect_same_keys(example("ingot convert", 0),
                   printed({"convert", "--json", "--no-fsync", "--drop-extra", "--duplicate-tied",
                            file, scratch.path("x.safetensors")}),
                   "convert");
  expect_same_keys(example("ingot inspect", 3), printed({"inspect", "--json", "--plan", file}),
                   "inspect --plan");
  expect_same_keys(example("ingot bench", 0),
                   printed({"bench", "load", "--json", "--repetitions", "1", file}), "bench");
  flip(file, 5000);
  expect_same_keys(example("ingot verify", 0), printed({"verify", "--json", file}), "verify");
}

}  // namespace
}  // namespace ingot::testing
