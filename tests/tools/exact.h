// Text that a command prints, compared with a file of tests/tools/expected.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace ingot::testing {

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos && !from.empty();
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// With INGOT_UPDATE_EXPECTED set in the environment, writes the file instead of comparing.
inline void expect_exact(const std::string& name, const std::string& text) {
  const std::filesystem::path path =
      std::filesystem::path(INGOT_SOURCE_DIR) / "tests/tools/expected" / (name + ".exact");
  if (std::getenv("INGOT_UPDATE_EXPECTED") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  std::stringstream expected;
  expected << file.rdbuf();
  EXPECT_TRUE(file.good()) << path << " is missing; INGOT_UPDATE_EXPECTED=1 writes it";
  EXPECT_EQ(expected.str(), text) << "see " << path
                                  << "; INGOT_UPDATE_EXPECTED=1 takes the new text";
}

}  // namespace ingot::testing
