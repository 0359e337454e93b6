// The digest arithmetic that host and GPU share, against the library.
#include "cuda/xxh3.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include "format/digest.h"
#include "tests/cuda/random_bytes.h"

namespace ingot::gpu::testing {
namespace {

// The long form in two phases: all sums first, in the given order of blocks; then the chain.
Digest128 in_two_phases(Bytes bytes, const std::vector<std::uint64_t>& order) {
  std::vector<std::uint64_t> sums(order.size() * xxh3::kLanes);
  for (const std::uint64_t block : order) {
    for (int lane = xxh3::kLanes; lane-- > 0;) {
      sums[block * xxh3::kLanes + static_cast<std::uint64_t>(lane)] =
          xxh3::block_sum(bytes.data() + block * xxh3::kBlockBytes, lane);
    }
  }
  std::uint64_t accumulators[xxh3::kLanes];
  for (int lane = 0; lane < xxh3::kLanes; ++lane) {
    std::uint64_t value = xxh3::initial_accumulator(lane);
    for (std::uint64_t block = 0; block < order.size(); ++block) {
      value = xxh3::chain(value, sums[block * xxh3::kLanes + static_cast<std::uint64_t>(lane)],
                          xxh3::scramble_key(lane));
    }
    accumulators[lane] = value + xxh3::tail_sum(bytes.data(), bytes.size(), lane);
  }
  return {.low = xxh3::finish_low(accumulators, bytes.size()),
          .high = xxh3::finish_high(accumulators, bytes.size())};
}

std::vector<std::uint64_t> blocks_of(Bytes bytes) {
  std::vector<std::uint64_t> order(xxh3::chained_blocks(bytes.size()));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Digest128 ours(Bytes bytes) {
  if (bytes.size() <= xxh3::kShortBytes) {
    const xxh3::Hash128 hash = xxh3::hash_short(bytes.data(), bytes.size());
    return {.low = hash.low, .high = hash.high};
  }
  return in_two_phases(bytes, blocks_of(bytes));
}

TEST(SharedXxh3, EveryLengthUpTo4096EqualsTheLibrary) {
  const std::vector<std::byte> bytes = random_bytes(4096, 1);
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const Bytes part = Bytes(bytes).first(length);
    ASSERT_EQ(ours(part), format::xxh3_128(part)) << length << " bytes";
  }
}

TEST(SharedXxh3, LengthsAroundBordersEqualTheLibrary) {
  const std::vector<std::byte> bytes = random_bytes((1 << 20) + 2048, 2);
  for (const std::size_t border : {4096u, 8192u, 65536u, 1000000u, 1u << 20}) {
    for (std::size_t length = border - 65; length <= border + 65; ++length) {
      const Bytes part = Bytes(bytes).last(length);
      ASSERT_EQ(ours(part), format::xxh3_128(part)) << length << " bytes";
    }
  }
}

TEST(SharedXxh3, RandomBuffersEqualTheLibrary) {
  std::mt19937_64 random(3);
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    // Half of them short, where the classes are.
    const std::size_t length = seed % 2 == 0 ? random() % 300 : random() % 20000;
    const std::vector<std::byte> bytes = random_bytes(length, seed);
    ASSERT_EQ(ours(bytes), format::xxh3_128(bytes)) << length << " bytes, seed " << seed;
  }
}

// Products of zero and of all ones, and carries.
TEST(SharedXxh3, UniformBuffersEqualTheLibrary) {
  for (const int fill : {0x00, 0x01, 0x80, 0xFF}) {
    const std::vector<std::byte> bytes(3000, static_cast<std::byte>(fill));
    for (std::size_t length = 0; length <= bytes.size(); length += 7) {
      const Bytes part = Bytes(bytes).first(length);
      ASSERT_EQ(ours(part), format::xxh3_128(part)) << length << " bytes of " << fill;
    }
  }
}

TEST(SharedXxh3, BlockSumsMayBeMadeInAnyOrder) {
  const std::vector<std::byte> bytes = random_bytes(100 * 1024 + 333, 4);
  std::vector<std::uint64_t> order = blocks_of(bytes);
  std::mt19937_64 random(5);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(order.begin(), order.end(), random);
    ASSERT_EQ(in_two_phases(bytes, order), format::xxh3_128(bytes)) << "shuffle " << i;
  }
}

TEST(SharedXxh3, AnyAddressWillDo) {
  const std::vector<std::byte> bytes = random_bytes(5000, 6);
  for (std::size_t offset = 0; offset < 64; ++offset) {
    const Bytes part = Bytes(bytes).subspan(offset, 4000 + offset);
    ASSERT_EQ(ours(part), format::xxh3_128(part)) << "from " << offset;
  }
}

}  // namespace
}  // namespace ingot::gpu::testing
