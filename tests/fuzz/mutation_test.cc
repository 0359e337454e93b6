// Twenty thousand random mutations of the valid goldens, the same ones every time. Half of them
// have their digests recomputed, as an attacker would: those may be refused or accepted, but never
// crash a reader. The other half is damage, and damage is always found.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/exercise.h"
#include "tests/fuzz/fix_digests.h"
#include "tests/golden/draft.h"
#include "tests/golden/valid_goldens.h"

namespace ingot::fuzz {

namespace {

constexpr int kMutations = 20'000;
constexpr std::size_t kMaxFileBytes = 64 << 10;

using golden::FileBytes;

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : engine_(seed) {}

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }

  // One to sixteen changes. Most hit index and headers, where the bytes that are not zero lie.
  void mutate(FileBytes& file) {
    for (std::size_t n = std::size_t{1} << below(5); n > 0; --n) change(file);
    if (below(50) == 0) file.resize(below(2) == 0 ? below(file.size()) : file.size() + below(5000));
  }

 private:
  std::size_t place(const FileBytes& file) {
    for (int tries = 0; tries < 64; ++tries) {
      const std::size_t at = below(file.size());
      if (file[at] != std::byte{0}) return at - std::min(at, below(9));
    }
    return below(file.size());
  }

  void change(FileBytes& file) {
    const std::size_t at = place(file);
    switch (below(6)) {
      case 0:
        file[at] ^= std::byte{1} << below(8);
        return;
      case 1:
        file[at] = static_cast<std::byte>(below(256));
        return;
      case 2:
        return store_number(file, at);
      case 3:
        return copy_range(file, at);
      case 4:
        std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at),
                    std::min(file.size() - at, 1 + below(64)), std::byte{0});
        return;
      default:
        add_small(file, at);
    }
  }

  // A number at a place aligned to its width: the edges of what it can hold.
  void store_number(FileBytes& file, std::size_t at) {
    constexpr std::array<std::uint64_t, 8> kEdges = {
        0, 1, 0x7F, 0x80, 0x7FFFFFFF, 0x80000000, 0x7FFFFFFFFFFFFFFF, ~std::uint64_t{0}};
    const std::size_t width = std::size_t{1} << below(4);
    at = std::min(at, file.size() - 8) & ~(width - 1);
    const std::uint64_t value = kEdges[below(kEdges.size())];
    std::memcpy(&file[at], &value, width);
  }

  void copy_range(FileBytes& file, std::size_t to) {
    const std::size_t from = place(file);
    const std::size_t bytes = std::min({1 + below(64), file.size() - from, file.size() - to});
    std::memmove(&file[to], &file[from], bytes);
  }

  static constexpr std::uint32_t kSteps[] = {1, 2, 4, 8, 16, 4096};
  void add_small(FileBytes& file, std::size_t at) {
    at = std::min(at, file.size() - 4) & ~std::size_t{3};
    const std::uint32_t step = kSteps[below(std::size(kSteps))];
    const auto value = load_le<std::uint32_t>(file, at);
    store_le<std::uint32_t>(file, at, below(2) == 0 ? value + step : value - step);
  }

  std::mt19937_64 engine_;
};

std::vector<FileBytes> seeds() {
  std::vector<FileBytes> files;
  for (const auto& golden : golden::valid_goldens()) {
    const FileBytes& file = golden::valid_file(golden.name);
    if (file.size() <= kMaxFileBytes) files.push_back(file);
  }
  return files;
}

TEST(Mutation, DamageIsFoundAndForgeryIsHarmless) {
  const std::vector<FileBytes> files = seeds();
  ASSERT_GT(files.size(), 10U);
  int accepted = 0;
  int found = 0;
  for (int i = 0; i < kMutations; ++i) {
    Mutator mutator(static_cast<std::uint64_t>(i));
    const FileBytes& original = files[mutator.below(files.size())];
    FileBytes file = original;
    mutator.mutate(file);
    const bool forged = i % 2 == 0;
    if (forged) fix_file(file);
    const Outcome outcome = exercise_file(file);
    if (forged) {
      accepted += outcome == Outcome::kIntact ? 1 : 0;
    } else if (file != original) {
      ASSERT_NE(outcome, Outcome::kIntact) << "mutation " << i << " was not found";
      ++found;
    }
  }
  // Were all forgeries refused, nothing behind the digests would have been reached.
  EXPECT_GT(accepted, 100);
  EXPECT_GT(found, kMutations / 2 - 200);
  RecordProperty("accepted", accepted);
  RecordProperty("found", found);
}

}  // namespace

}  // namespace ingot::fuzz
