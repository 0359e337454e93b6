// The command on every golden file: exact exit codes, and never a signal.
//
//   golden_command_test COMMAND GOLDENS
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "tests/golden/manifest.h"

namespace ingot::golden {

namespace {

// Set by main's arguments.
std::string g_command;
std::string g_folder;

// Exit code of the command; -1 when a signal ended it.
int run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), g_command);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = posix_spawn(&child, g_command.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return -1;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::vector<ManifestEntry> entries() { return read_manifest(g_folder + "/manifest.json"); }

TEST(GoldenCommand, VerifyEndsWithTheExitCodeOfTheManifest) {
  ASSERT_FALSE(entries().empty());
  for (const ManifestEntry& entry : entries()) {
    EXPECT_EQ(run({"verify", g_folder + "/" + entry.file}), entry.exit)
        << entry.file << ": " << entry.why;
  }
}

// inspect reads no data: what only a verification finds is good for it.
TEST(GoldenCommand, InspectEndsWithTheExitCodeOfTheManifestOrSucceeds) {
  for (const ManifestEntry& entry : entries()) {
    const int code = run({"inspect", "--json", g_folder + "/" + entry.file});
    EXPECT_TRUE(code == entry.exit || code == 0) << entry.file << ": " << code;
  }
}

TEST(GoldenCommand, RepairDiagnosesWithoutASignal) {
  for (const ManifestEntry& entry : entries()) {
    const int code = run({"repair", "--dry-run", g_folder + "/" + entry.file});
    EXPECT_GE(code, 0) << entry.file;
    EXPECT_LE(code, 6) << entry.file;
  }
}

}  // namespace

}  // namespace ingot::golden

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc != 3) return 64;
  ingot::golden::g_command = argv[1];
  ingot::golden::g_folder = argv[2];
  return RUN_ALL_TESTS();
}
