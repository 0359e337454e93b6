// What all commands have in common: help, usage errors, output streams, colours, signals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/exact.h"
#include "tests/tools/run_command.h"
#include "tests/tools/samples.h"

namespace ingot::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const char* const kCommands[] = {"inspect", "verify", "convert", "diff",
                                 "extract", "repair", "bench"};

TEST(Cli, HelpOfAll) {
  const CommandResult result = run_ingot({"--help"});
  EXPECT_EQ(result.exit, 0);
  expect_exact("help", result.out);
}

TEST(Cli, HelpOfEachCommand) {
  for (const std::string command : kCommands) {
    const CommandResult result = run_ingot({command, "--help"});
    EXPECT_EQ(result.exit, 0);
    EXPECT_THAT(result.err, IsEmpty());
    expect_exact("help_" + command, result.out);
  }
}

TEST(Cli, HelpFitsTheScreen) {
  for (const std::string command : kCommands) {
    std::istringstream lines(run_ingot({command, "--help"}).out);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), 100u) << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
    }
  }
}

TEST(Cli, Version) {
  const CommandResult result = run_ingot({"--version"});
  EXPECT_EQ(result.exit, 0);
  EXPECT_EQ(result.out, "ingot 0.1.0 (file format 1.0)\n");
}

struct Usage {
  std::vector<std::string> arguments;
  std::string name;
};

TEST(Cli, UsageErrorsAreOneLineAndExit64) {
  const std::vector<Usage> cases = {
      {{}, "no_command"},
      {{"frobnicate"}, "unknown_command"},
      {{"inspect"}, "missing_file"},
      {{"inspect", "--frobnicate", "x"}, "unknown_option"},
      {{"inspect", "x", "y"}, "too_many"},
      {{"inspect", "x", "--color", "maybe"}, "bad_color"},
      {{"inspect", "x", "--role", "parameter"}, "filter_without_listing"},
      {{"inspect", "x", "--tensors", "--state"}, "two_views"},
      {{"inspect", "x", "--optimizer", "--tensors"}, "optimizer_and_tensors"},
      {{"inspect", "x", "--optimizer", "--state"}, "optimizer_and_state"},
      {{"inspect", "x", "--optimizer", "--attachment", "a"}, "optimizer_and_attachment"},
      {{"inspect", "x", "--plan", "--tensors"}, "plan_and_tensors"},
      {{"inspect", "x", "--device", "host"}, "device_without_plan"},
      {{"bench", "x"}, "bench_nothing"},
      {{"bench", "save", "x"}, "bench_unknown"},
      {{"bench", "load", "x", "--device", "tpu"}, "bad_device"},
      {{"bench", "load", "x", "--transport", "carrier-pigeon"}, "bad_transport"},
      {{"bench", "load", "x", "--verify", "some"}, "bad_verify"},
      {{"bench", "load", "x", "--budget", "much"}, "bad_budget"},
      {{"inspect", "x", "--tensors", "--role", "hero"}, "bad_role"},
      {{"inspect", "x", "--tensors", "--dtype", "float7"}, "bad_dtype"},
      {{"inspect", "x", "--tensors", "--sort", "colour"}, "bad_sort"},
      {{"inspect", "x", "--tensors", "--limit", "-1"}, "bad_limit"},
      {{"verify", "x", "--level", "some"}, "bad_level"},
      {{"verify", "x", "--threads", "-1"}, "bad_threads"},
      {{"verify", "x", "--direct", "--mapping"}, "two_paths"},
      {{"verify", "x", "--device", "host", "--direct"}, "device_and_path"},
      {{"verify", "x", "--device", "host", "--keep-going"}, "device_and_keep_going"},
      {{"convert", "x"}, "no_output"},
      {{"convert", "x.safetensors", "y.bin"}, "output_name"},
      {{"convert", "x.safetensors", "y.ingot", "--chunk-size", "big"}, "bad_size"},
      {{"convert", "x.safetensors", "y.ingot", "--shard-size", "5GB"}, "wrong_direction"},
      {{"extract", "x", "-o", "y"}, "nothing_to_extract"},
      {{"extract", "x", "a", "b", "-o", "-"}, "two_to_stdout"},
      {{"diff", "x"}, "one_file"},
      {{"diff", "x", "y", "--names-only", "--no-values"}, "two_depths"},
  };
  std::string all;
  for (const Usage& usage : cases) {
    const CommandResult result = run_ingot(usage.arguments);
    EXPECT_EQ(result.exit, 64) << usage.name;
    EXPECT_THAT(result.out, IsEmpty()) << usage.name;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    all += usage.name + ": " + result.err;
  }
  expect_exact("usage_errors", all);
}

TEST(Cli, UsageErrorsAsJson) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"inspect", "--json", "--frobnicate"}, {"verify", "x", "--json", "--level", "some"}}) {
    const CommandResult result = run_ingot(arguments);
    EXPECT_EQ(result.exit, 64);
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json["ok"], false);
    EXPECT_EQ(json["error"]["code"], "invalid argument");
  }
}

// Names that change the direction of text, begin a line or a control sequence of ISO 6429.
TEST(CliNames, ReachNoTerminal) {
  const std::string name = "w\u009b2J\u202e\u2066\u2028\u200e\u061c";
  const std::string shown = R"(w\u009b2J\u202e\u2066\u2028\u200e\u061c)";
  const Scratch scratch;
  const std::string file = scratch.path("a\u0085\n.ingot");
  const std::string other = scratch.path("b.ingot");
  StateValue root = StateValue::dict();
  root.set("key\x1b" + name, StateValue::string("value\x1b" + name));
  ASSERT_OK(IngotFile()
                .tensor(name, DType::kUInt8, {5000}, pattern(5000))
                .attachment(name, "text/plain", "x")
                .state(std::move(root))
                .write(file));
  ASSERT_OK(IngotFile().tensor("v", DType::kUInt8, {1}, pattern(1)).write(other));
  const auto expect_harmless = [&](const std::vector<std::string>& arguments, bool names_it) {
    const CommandResult result = run_ingot(arguments);
    const std::string all = result.out + result.err;
    EXPECT_EQ(all.find(shown) != std::string::npos, names_it) << all;
    for (const char* raw : {"\u009b", "\u202e", "\u2066", "\u2028", "\u200e", "\u061c", "\u0085",
                            "\x1b", "\n.ingot"}) {
      EXPECT_THAT(all, Not(HasSubstr(raw))) << arguments.front();
    }
  };
  expect_harmless({"inspect", file}, true);
  expect_harmless({"inspect", file, "--tensors"}, true);
  expect_harmless({"inspect", file, "--state"}, true);
  expect_harmless({"inspect", file, "--attachment", name}, true);
  expect_harmless({"inspect", file, "--attachment", "x" + name}, true);
  expect_harmless({"diff", file, other}, true);
  expect_harmless({"extract", file, name, "-o", scratch.path("out\u0085")}, true);
  expect_harmless({"convert", file, scratch.path("c\u0085.safetensors"), "--drop-extra"}, true);
  expect_harmless({"verify", file}, false);
  expect_harmless({"repair", file}, false);
  expect_harmless({"inspect", file, "--frobnicate" + name}, true);
  const CommandResult listing = run_ingot({"inspect", file, "--tensors", "--json"});
  EXPECT_EQ(nlohmann::json::parse(listing.out)["tensors"][0]["name"], name);
  expect_harmless({"inspect", file, "--tensors", "--json"}, true);
  expect_harmless({"inspect", file, "--state", "--json"}, true);
  flip(file, 4096);
  expect_harmless({"verify", file}, true);
  expect_harmless({"verify", file, "--json"}, true);
}

// A folder, a FIFO: the same error, whoever reads it. Only convert and diff take folders.
TEST(CliInputs, AreRegularFiles) {
  const Scratch scratch;
  for (const std::string name : {"fifo", "fifo.ingot", "fifo.safetensors", "fifo.index.json"}) {
    const std::string fifo = scratch.path(name);
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const std::string out = scratch.path("out.ingot");
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{"inspect", fifo},
                                               {"verify", fifo},
                                               {"extract", fifo, "w", "-o", out},
                                               {"repair", fifo},
                                               {"diff", fifo, fifo},
                                               {"convert", fifo, out}}) {
      const CommandResult result = run_ingot(arguments);
      EXPECT_EQ(result.exit, 64) << arguments.front() << " " << result.err;
      EXPECT_THAT(result.err, HasSubstr(fifo + ": not a regular file")) << arguments.front();
      EXPECT_THAT(result.err, HasSubstr("found a FIFO")) << arguments.front();
    }
  }
  const std::string folder = scratch.path(".");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"inspect", folder},
                                             {"verify", folder},
                                             {"extract", folder, "w", "-o", "-"},
                                             {"repair", folder}}) {
    const CommandResult result = run_ingot(arguments);
    EXPECT_EQ(result.exit, 64) << arguments.front() << " " << result.err;
    EXPECT_THAT(result.err, HasSubstr("not a regular file: found a folder"));
  }
}

class CliFile : public ::testing::Test {
 protected:
  CliFile() { EXPECT_OK(sample_model().write(file_)); }
  Scratch scratch_;
  std::string file_ = scratch_.path("model.ingot");
};

TEST_F(CliFile, ErrorsAsJson) {
  const CommandResult result = run_ingot({"inspect", "--json", scratch_.path("missing.ingot")});
  EXPECT_EQ(result.exit, 4);
  EXPECT_THAT(result.err, StartsWith("ingot: not found: "));
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["error"]["code"], "not found");
  EXPECT_EQ(json["error"]["os_error"], ENOENT);
  for (const char* key : {"message", "region", "tensor", "chunk", "begin", "end"}) {
    EXPECT_TRUE(json["error"].contains(key)) << key;
  }
}

TEST_F(CliFile, ErrorsStayOneLine) {
  const CommandResult result = run_ingot({"inspect", "a\nb\x1b[31m"});
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1);
  EXPECT_THAT(result.err, Not(HasSubstr("\x1b")));
}

TEST_F(CliFile, AFullDiskIsAnError) {
  const CommandResult result = run_ingot({"inspect", file_}, {.stdout_to = "/dev/full"});
  EXPECT_EQ(result.exit, 4);
  EXPECT_THAT(result.err, HasSubstr("cannot write to standard output: No space left on device"));
}

TEST_F(CliFile, AClosedStandardOutputIsAnError) {
  const CommandResult result = run_ingot({"inspect", file_}, {.close_stdout = true});
  EXPECT_EQ(result.exit, 4);
  EXPECT_THAT(result.err, HasSubstr("cannot write to standard output"));
}

TEST_F(CliFile, AReaderThatIsGoneIsNoError) {
  const CommandResult result = run_ingot({"inspect", file_}, {.break_stdout = true});
  EXPECT_EQ(result.exit, 141);
  EXPECT_EQ(result.signal, 0);
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(CliFile, ADamagedFileIsToldToAReaderThatIsGone) {
  flip(file_, 5000);
  EXPECT_EQ(run_ingot({"verify", file_}, {.break_stdout = true}).exit, 2);
}

TEST_F(CliFile, ColoursAreForTerminals) {
  EXPECT_THAT(run_ingot({"inspect", file_}).out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(run_ingot({"inspect", file_, "--color", "always"}).out, HasSubstr("\x1b[1m"));
  EXPECT_THAT(run_ingot({"inspect", file_}, {.terminal = true}).out, HasSubstr("\x1b[1m"));
  EXPECT_THAT(run_ingot({"inspect", file_, "--color", "never"}, {.terminal = true}).out,
              Not(HasSubstr("\x1b")));
}

TEST_F(CliFile, NoColorIsHonoured) {
  EXPECT_THAT(run_ingot({"inspect", file_}, {.environment = {"NO_COLOR=1"}, .terminal = true}).out,
              Not(HasSubstr("\x1b")));
  EXPECT_THAT(run_ingot({"inspect", file_}, {.environment = {"NO_COLOR="}, .terminal = true}).out,
              HasSubstr("\x1b"));
  EXPECT_THAT(
      run_ingot({"inspect", file_, "--color", "always"}, {.environment = {"NO_COLOR=1"}}).out,
      HasSubstr("\x1b"));
}

TEST_F(CliFile, JsonIsNeverColoured) {
  EXPECT_THAT(run_ingot({"inspect", "--json", "--color", "always", file_}).out,
              Not(HasSubstr("\x1b")));
}

TEST_F(CliFile, WideNamesAreCutOnATerminalOnly) {
  const std::string name(300, 'n');
  ASSERT_OK(IngotFile().tensor(name, DType::kUInt8, {1}, pattern(1)).write(scratch_.path("w")));
  EXPECT_THAT(run_ingot({"inspect", "--tensors", scratch_.path("w")}).out, HasSubstr(name));
  const std::string cut =
      run_ingot({"inspect", "--tensors", scratch_.path("w")}, {.terminal = true}).out;
  EXPECT_THAT(cut, HasSubstr("nn…nn"));
  EXPECT_THAT(cut, Not(HasSubstr(name)));
}

TEST_F(CliFile, AnInterruptedConversionLeavesNothing) {
  SafetensorsFile()
      .tensor("w", "U8", {1 << 20}, pattern(1 << 20))
      .write(scratch_.path("in.safetensors"));
  for (const int number : {SIGINT, SIGTERM}) {
    const CommandResult result =
        run_ingot({"convert", scratch_.path("in.safetensors"), scratch_.path("out.ingot")},
                  {.pending_signal = number});
    EXPECT_EQ(result.exit, 128 + number);
    EXPECT_THAT(result.err, StartsWith("ingot: cancelled"));
    EXPECT_THAT(names_in(scratch_.folder()), ElementsAre("in.safetensors", "model.ingot"));
  }
}

TEST_F(CliFile, AnInterruptedVerificationSaysSo) {
  EXPECT_EQ(run_ingot({"verify", file_}, {.pending_signal = SIGINT}).exit, 130);
}

}  // namespace
}  // namespace ingot::testing
