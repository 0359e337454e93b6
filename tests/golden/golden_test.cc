// Every golden file: the valid ones open, verify and read, the invalid ones are refused with the
// code and the rule that the manifest gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/verify.h"

#include "tests/format/no_sha256.h"
#include "tests/fuzz/walk.h"
#include "tests/golden/crafted_goldens.h"
#include "tests/golden/manifest.h"
#include "tests/golden/valid_goldens.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::golden {

namespace {

namespace fs = std::filesystem;

// Set by main's first argument.
std::string g_folder;

std::string text_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<ManifestEntry> entries(bool valid) {
  std::vector<ManifestEntry> result;
  for (ManifestEntry& entry : read_manifest(g_folder + "/manifest.json")) {
    if (entry.valid == valid) result.push_back(std::move(entry));
  }
  return result;
}

std::string path_of(const ManifestEntry& entry) { return g_folder + "/" + entry.file; }

// What a full verification says first; OK when the file is good.
Status check(const std::string& path) {
  INGOT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::open(path));
  fuzz::keep(fuzz::walk(checkpoint));
  INGOT_ASSIGN_OR_RETURN(const VerifyReport report, verify(checkpoint, {.threads = 1}));
  return report.errors.empty() ? Status() : report.errors.front();
}

TEST(Golden, TheManifestListsTheFolder) {
  std::set<std::string> listed;
  for (const ManifestEntry& entry : read_manifest(g_folder + "/manifest.json")) {
    EXPECT_TRUE(listed.insert(entry.file).second) << entry.file << " is listed twice";
    EXPECT_EQ(entry.file.starts_with("valid/"), entry.valid) << entry.file;
  }
  std::set<std::string> present;
  for (const auto& file : fs::recursive_directory_iterator(g_folder)) {
    if (file.path().extension() == ".ingot") {
      present.insert(fs::relative(file.path(), g_folder).string());
    }
  }
  EXPECT_EQ(listed, present);
}

TEST(Golden, ThereAreEnough) {
  EXPECT_GE(entries(true).size(), 20U);
  EXPECT_GE(entries(false).size(), 150U);
}

TEST(Golden, ValidFilesAreReadInFull) {
  for (const ManifestEntry& entry : entries(true)) {
    SCOPED_TRACE(entry.file + ": " + entry.why);
    EXPECT_OK(check(path_of(entry)));
    ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path_of(entry)));
    checkpoint.for_each({}, [&](const TensorInfo& tensor) {
      std::vector<std::byte> bytes(tensor.bytes);
      EXPECT_OK(checkpoint.read(tensor, bytes));
      const auto view = checkpoint.view(tensor);
      ASSERT_THAT(view, testing::IsOk());
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), view->bytes.begin(), view->bytes.end()));
    });
    for (std::uint32_t i = 0; i < checkpoint.attachment_count(); ++i) {
      EXPECT_THAT(checkpoint.read_attachment(checkpoint.attachment(i)), testing::IsOk());
    }
  }
}

// What cannot be checked is neither intact nor damaged.
TEST(Golden, WithoutSha256AFileThatHasItIsUnsupported) {
  const testing::NoSha256 none;
  EXPECT_EXIT(
      {
        const auto checkpoint = Checkpoint::open(g_folder + "/valid/sha256.ingot");
        const Status status = checkpoint.ok() ? verify(*checkpoint).status() : checkpoint.status();
        std::fprintf(stderr, "%s\n", status.to_string().c_str());
        std::exit(status.code() == Code::kUnsupported ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "sha256.ingot: .*SHA-256");
}

TEST(Golden, InvalidFilesAreRefusedByTheRuleTheyBreak) {
  for (const ManifestEntry& entry : entries(false)) {
    SCOPED_TRACE(entry.file + ": " + entry.why);
    const Status status = check(path_of(entry));
    EXPECT_EQ(code_name(status.code()), entry.code) << status.to_string();
    EXPECT_EQ(exit_code(status.code()), entry.exit);
    EXPECT_FALSE(entry.rule.empty());
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(entry.rule + ": "));
  }
}

TEST(Golden, ErrorsSayWhatWasExpectedAndFound) {
  for (const ManifestEntry& entry : entries(false)) {
    const std::string message(check(path_of(entry)).message());
    EXPECT_THAT(message, ::testing::ContainsRegex(": expected [^ ].*, found [^ ]")) << entry.file;
  }
}

// Writing a valid golden's content again gives the bytes that the first version wrote.
TEST(Golden, WritersStillWriteTheSameBytes) {
  const testing::Scratch scratch;
  for (const ValidGolden& golden : valid_goldens()) {
    SCOPED_TRACE(golden.name + ": " + golden.why);
    const std::string path = scratch.path(golden.name + ".ingot");
    ASSERT_OK(golden.write(path));
    EXPECT_TRUE(text_of(path) == text_of(g_folder + "/valid/" + golden.name + ".ingot"));
  }
  for (const CraftedGolden& golden : crafted_goldens()) {
    SCOPED_TRACE(golden.name + ": " + golden.why);
    const FileBytes bytes = golden.make();
    EXPECT_TRUE(as_text(bytes) == text_of(g_folder + "/valid/" + golden.name + ".ingot"));
  }
}

// Rules that no file can break, with what proves them.
const std::set<std::string> kRulesWithoutFile = {
    "F-05",  // what a reader must ignore: valid/optional_features_all.ingot
    "F-24",  // what a writer must do: WritersStillWriteTheSameBytes
    "F-25",  // the same
    "F-26",  // of all arithmetic: files of F-30, F-47, F-56 and others have such numbers
    "F-27",  // a second header that is right: valid/ has none that is damaged; open_test.cc
    "F-28",  // the order of all other rules: order_test.cc
    "F-29",  // what a reader allocates: hostile_resources_test.cc
    "F-33",  // a limit of the reader's own
    "F-66",  // what a reader must not refuse: round_trip_test.cc
};

TEST(Golden, EveryRuleOfTheFormatHasAFile) {
  std::set<std::string> broken;
  for (const ManifestEntry& entry : entries(false)) broken.insert(entry.rule);
  const std::string document = text_of("docs/format.md");
  const std::regex definition(R"(\*\*(F-\d+)\*\*)");
  std::size_t rules = 0;
  for (std::sregex_iterator it(document.begin(), document.end(), definition), end; it != end;
       ++it) {
    const std::string rule = (*it)[1];
    ++rules;
    EXPECT_TRUE(broken.contains(rule) || kRulesWithoutFile.contains(rule)) << rule;
  }
  EXPECT_GT(rules, 60U);
}

}  // namespace

}  // namespace ingot::golden

int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  if (argc != 2) return 64;
  ingot::golden::g_folder = argv[1];
  return RUN_ALL_TESTS();
}
