// What the index target's mutator repairs: with it, names that were touched get past rule F-72.
#include "tests/fuzz/fix_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/support/hostile_index.h"
#include "tests/support/status_matchers.h"

namespace ingot::fuzz {
namespace {

using ingot::testing::HostileFile;
using ingot::testing::IsOk;
using ingot::testing::StatusIs;

// The rich file's index, one letter of every name changed.
HostileFile with_touched_names() {
  HostileFile file = HostileFile::rich();
  for (auto& tensor : file.index.tensors) tensor.name->back() ^= 2;
  file.raw_index = file.index.encode();
  return file;
}

TEST(FixNames, TouchedNamesPass) {
  HostileFile file = with_touched_names();
  EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, ::testing::HasSubstr("F-72")));
  fix_names(*file.raw_index);
  EXPECT_THAT(file.validate_index(), IsOk());
}

TEST(FixNames, WhatIsNoIndexStaysAsItIs) {
  std::vector<std::byte> bytes = HostileFile::rich().index_bytes();
  std::fill_n(bytes.begin(), 8, std::byte{0xFF});
  const std::vector<std::byte> before = bytes;
  fix_names(bytes);
  EXPECT_EQ(bytes, before);
  fix_names({});
}

TEST(FixNames, ATableOfAnotherLengthStaysAsItIs) {
  HostileFile file = HostileFile::rich();
  file.index.name_hashes->pop_back();
  std::vector<std::byte> bytes = file.index_bytes();
  const std::vector<std::byte> before = bytes;
  fix_names(bytes);
  EXPECT_EQ(bytes, before);
}

}  // namespace
}  // namespace ingot::fuzz
