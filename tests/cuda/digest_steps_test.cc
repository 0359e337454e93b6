// The digest kernels' index arithmetic and the cutting into launches, against the library.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>
#include <vector>

#include "cuda/digest_plan.h"
#include "format/digest.h"
#include "tests/cuda/digest_on_host.h"
#include "tests/cuda/random_bytes.h"

namespace ingot::gpu::testing {
namespace {

// As the device does it, with buffers of just the size that the limits name.
class HostDigest {
 public:
  explicit HostDigest(DigestLimits limits)
      : limits_(limits),
        items_(limits.items),
        sums_(std::size_t{limits.groups} * kGroupSums),
        digests_(2 * std::size_t{limits.items}) {}

  std::vector<Digest128> digest(std::span<const DeviceSpan> ranges) {
    std::vector<Digest128> result(ranges.size());
    DigestPlan plan(ranges, limits_);
    for (launches_ = 0;; ++launches_) {
      const DigestBatch batch = plan.next(items_);
      if (batch.items == 0) return result;
      std::fill(sums_.begin(), sums_.end(), 0xDEADBEEFDEADBEEFu);  // nothing lasts but the carried
      launch(batch);
      for (std::uint32_t i = 0; i < batch.items; ++i) {
        if (items_[i].last_piece == 0) continue;
        result[batch.first_range + i] = {.low = digests_[2 * i], .high = digests_[2 * i + 1]};
      }
    }
  }
  int launches() const { return launches_; }

 private:
  void launch(const DigestBatch& batch) {
    const DigestLaunch launch{.items = items_.data(),
                              .item_count = batch.items,
                              .groups = batch.groups,
                              .sums = sums_.data(),
                              .carried_in = carried_[launches_ % 2],
                              .carried_out = carried_[(launches_ + 1) % 2],
                              .digests = digests_.data()};
    block_sums_on_host(launch);
    chains_on_host(launch);
  }

  DigestLimits limits_;
  int launches_ = 0;
  std::vector<DigestItem> items_;
  std::vector<std::uint64_t> sums_;
  std::vector<std::uint64_t> digests_;
  std::uint64_t carried_[2][xxh3::kLanes] = {};
};

constexpr DigestLimits kRoomy{.items = 100000, .groups = 100000};

DeviceSpan span_of(std::vector<std::byte>& bytes, std::size_t offset, std::size_t length) {
  return {.data = bytes.data() + offset, .bytes = length};
}

void expect_library(HostDigest& digest, std::span<const DeviceSpan> ranges) {
  const std::vector<Digest128> found = digest.digest(ranges);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    ASSERT_EQ(found[i], format::xxh3_128({ranges[i].data, ranges[i].bytes}))
        << "range " << i << ", " << ranges[i].bytes << " bytes";
  }
}

TEST(DigestSteps, EveryLengthInOneLaunch) {
  std::vector<std::byte> bytes = random_bytes(9000, 1);
  std::vector<DeviceSpan> ranges;
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    ranges.push_back(span_of(bytes, 0, length));
  }
  HostDigest digest(kRoomy);
  expect_library(digest, ranges);
  EXPECT_EQ(digest.launches(), 1);
}

TEST(DigestSteps, LongRangesAndAnyAddress) {
  std::vector<std::byte> bytes = random_bytes((4 << 20) + 100, 2);
  std::vector<DeviceSpan> ranges;
  for (std::size_t i = 0; i < 40; ++i) {
    ranges.push_back(span_of(bytes, i, (1u << 20) + i - 20));
  }
  ranges.push_back(span_of(bytes, 3, (4u << 20) + 97));
  HostDigest digest(kRoomy);
  expect_library(digest, ranges);
}

TEST(DigestSteps, SmallestLimitsCutEveryRange) {
  std::vector<std::byte> bytes = random_bytes(70000, 3);
  std::vector<DeviceSpan> ranges;
  for (const std::size_t length : std::initializer_list<std::size_t>{
           70000, 0, 1025, 240, 241, 1024, 2048, 2049, 4096, 4097, 8193, 69999}) {
    ranges.push_back(span_of(bytes, 0, length));
  }
  HostDigest digest({.items = 1, .groups = 1});
  expect_library(digest, ranges);
}

TEST(DigestSteps, RandomRangesUnderRandomLimits) {
  std::vector<std::byte> bytes = random_bytes(300000, 4);
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<DeviceSpan> ranges(1 + random() % 30);
    for (DeviceSpan& range : ranges) {
      const std::size_t length = random() % (random() % 3 == 0 ? 100000 : 3000);
      range = span_of(bytes, random() % (bytes.size() - length), length);
    }
    HostDigest digest({.items = static_cast<std::uint32_t>(1 + random() % 10),
                       .groups = static_cast<std::uint32_t>(1 + random() % 20)});
    expect_library(digest, ranges);
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(DigestSteps, ManySmallRangesAreFewLaunches) {
  std::vector<std::byte> bytes = random_bytes(1 << 20, 6);
  std::vector<DeviceSpan> ranges;
  for (std::size_t i = 0; i < 100000; ++i) ranges.push_back(span_of(bytes, 8 * i, 1024));
  HostDigest digest({.items = 32768, .groups = 65536});
  expect_library(digest, ranges);
  EXPECT_EQ(digest.launches(), 4);
}

TEST(DigestPlan, NoBatchExceedsItsLimits) {
  std::vector<std::byte> bytes(1);
  std::vector<DeviceSpan> ranges;
  // Addresses are not followed here: a range of 1 GiB, too.
  for (const std::uint64_t length :
       {std::uint64_t{1} << 30, std::uint64_t{5000}, std::uint64_t{3}}) {
    ranges.push_back({.data = bytes.data(), .bytes = length});
  }
  const DigestLimits limits{.items = 2, .groups = 1000};
  DigestPlan plan(ranges, limits);
  std::vector<DigestItem> items(limits.items);
  std::uint64_t blocks = 0;
  int last_pieces = 0;
  for (DigestBatch batch = plan.next(items); batch.items > 0; batch = plan.next(items)) {
    ASSERT_LE(batch.items, limits.items);
    ASSERT_LE(batch.groups, limits.groups);
    for (std::uint32_t i = 0; i < batch.items; ++i) {
      blocks += items[i].blocks;
      last_pieces += static_cast<int>(items[i].last_piece);
    }
  }
  EXPECT_EQ(blocks, (std::uint64_t{1} << 20) - 1 + 4);
  EXPECT_EQ(last_pieces, 3);
}

TEST(DigestSteps, AWarpOwnsEverySumOfAGroupOnce) {
  std::vector<int> owners(kGroupSums);
  for (int thread = 0; thread < kWarpThreads; ++thread) {
    ++owners[static_cast<std::size_t>(sum_of_thread(thread))];
  }
  EXPECT_EQ(owners, std::vector<int>(kGroupSums, 1));
}

}  // namespace
}  // namespace ingot::gpu::testing
