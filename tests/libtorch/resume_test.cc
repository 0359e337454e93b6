// N steps, save, load in a new process, M steps equal N + M steps, to the last bit: for every
// optimizer, one and two groups, a frozen part, every variant, also before its first step. Files
// are canonical, so the whole state (parameters, buffers, moments, options, counters, losses,
// generators) is compared by comparing files.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/libtorch/models.h"
#include "tests/support/scratch.h"

namespace ingot::libtorch::testing {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ResumeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new ingot::testing::Scratch;
    for (const char* way : {"first", "whole", "second"}) {
      std::string command = INGOT_RESUME_WORKER;
      command.append(" ").append(way).append(" '").append(scratch_->folder()).append("'");
      ASSERT_EQ(std::system(command.c_str()), 0) << command;
    }
  }
  static void TearDownTestSuite() {
    delete scratch_;
    scratch_ = nullptr;
  }
  static std::string path(const std::string& name, const std::string& way) {
    return scratch_->path(name + "." + way + ".ingot");
  }

  static ingot::testing::Scratch* scratch_;
};
ingot::testing::Scratch* ResumeTest::scratch_ = nullptr;

TEST_F(ResumeTest, IsBitIdentical) {
  for (const OptimizerCase& what : optimizer_cases()) {
    const std::string whole = content(path(what.name, "whole"));
    ASSERT_FALSE(whole.empty()) << what.name;
    EXPECT_TRUE(whole == content(path(what.name, "second"))) << what.name;
    // The comparison would see three steps less.
    EXPECT_FALSE(whole == content(path(what.name, "first"))) << what.name;
  }
}

}  // namespace
}  // namespace ingot::libtorch::testing
