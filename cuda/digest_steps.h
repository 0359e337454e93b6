// The digest kernels, cut into steps that one thread makes by itself: which bytes are whose, who
// adds what to whom, where sums go. The kernels (cuda/digest_kernel.cu) and their emulation on the
// host (tests/cuda/digest_on_host.cc) are the same steps, run by threads or by loops.
//
//   kernel 1   block sums. One warp takes a group of four blocks: each thread reads 16 bytes at two
//              places of every block (coalesced), multiplies, and the warp adds up across threads
//   kernel 2   chains. Eight threads take a range, one accumulator each: block sums in order, tail,
//              digest. Short ranges are hashed here, by one thread
//
// A range may be cut into pieces; the accumulators wait in memory between two pieces.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/xxh3.h"

namespace ingot::gpu {

// A range of device memory, or a piece of it, in one launch.
struct DigestItem {
  const unsigned char* data;  // the whole range
  std::uint64_t bytes;
  std::uint64_t first_block;  // the piece: chained blocks of the range
  std::uint32_t blocks;
  std::uint32_t first_group;  // where their sums begin
  std::uint32_t first_piece;  // 1: accumulators begin here; 0: they are carried in
  std::uint32_t last_piece;   // 1: the digest is made here; 0: they are carried out
};

// What both kernels of a launch work on; all in device memory.
struct DigestLaunch {
  const DigestItem* items = nullptr;
  std::uint32_t item_count = 0;
  std::uint32_t groups = 0;
  std::uint64_t* sums = nullptr;  // kGroupSums for each group
  // Eight accumulators of the range that is cut. Not the same memory: the range that ends here and
  // the one that is cut next run at once.
  const std::uint64_t* carried_in = nullptr;
  std::uint64_t* carried_out = nullptr;
  std::uint64_t* digests = nullptr;  // low and high for each item
};

inline constexpr int kWarpThreads = 32;
inline constexpr int kGroupBlocks = 4;
inline constexpr int kGroupSums = kGroupBlocks * xxh3::kLanes;
inline constexpr int kGroupsPerWarp = 4;  // one after the other

// The item to which a group belongs: the last whose first_group is not behind it. Items without
// blocks share their number with the next one.
INGOT_HOST_DEVICE inline std::uint32_t item_of_group(const DigestItem* items, std::uint32_t count,
                                                     std::uint32_t group) {
  std::uint32_t low = 0;
  std::uint32_t high = count;
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (items[middle].first_group <= group) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

struct GroupTask {
  const unsigned char* data;  // of the group's first block
  int blocks;                 // 1 to kGroupBlocks
};

INGOT_HOST_DEVICE inline GroupTask group_task(const DigestItem& item, std::uint32_t group) {
  const std::uint32_t before = (group - item.first_group) * kGroupBlocks;
  const std::uint32_t left = item.blocks - before;
  return {item.data + (item.first_block + before) * xxh3::kBlockBytes,
          static_cast<int>(left < kGroupBlocks ? left : kGroupBlocks)};
}

// In each half of a block a thread has two neighbouring lanes of one stripe.
inline constexpr int kHalfBlockBytes = 512;
INGOT_HOST_DEVICE inline int thread_offset(int thread) { return 16 * thread; }

struct ThreadKeys {
  std::uint64_t even[2];  // of either half
  std::uint64_t odd[2];
};

INGOT_HOST_DEVICE inline ThreadKeys thread_keys(int thread) {
  const int stripe = thread / 4;
  const int lane = 2 * (thread % 4);
  return {{xxh3::stripe_key(stripe, lane), xxh3::stripe_key(stripe + 8, lane)},
          {xxh3::stripe_key(stripe, lane + 1), xxh3::stripe_key(stripe + 8, lane + 1)}};
}

// A thread's part of the sums of a group: of block b, the even lane at 2b and the odd one at 2b
// + 1.
struct ThreadSums {
  std::uint64_t value[2 * kGroupBlocks];
};

// Takes in the 16 bytes of one half of a block.
INGOT_HOST_DEVICE inline void take(ThreadSums& sums, int block, int half, const ThreadKeys& keys,
                                   std::uint64_t even, std::uint64_t odd) {
  sums.value[2 * block] += xxh3::contribution(even, odd, keys.even[half]);
  sums.value[2 * block + 1] += xxh3::contribution(odd, even, keys.odd[half]);
}

// Adding up across the warp: eight threads have parts of the same eight sums. In each of three
// exchanges a thread gives the half of its values that its partner keeps, and takes from it the
// half that it keeps itself; in the end every thread has one whole sum, and 7 values were exchanged
// instead of 24.
inline constexpr int kExchanges = 3;
INGOT_HOST_DEVICE constexpr int exchange_width(int step) { return kGroupBlocks >> step; }
INGOT_HOST_DEVICE constexpr int exchange_partner(int step, int thread) {
  return thread ^ (16 >> step);
}
INGOT_HOST_DEVICE constexpr bool keeps_upper(int step, int thread) {
  return (thread & (16 >> step)) != 0;
}
INGOT_HOST_DEVICE inline std::uint64_t given(const ThreadSums& sums, int step, int thread, int i) {
  return keeps_upper(step, thread) ? sums.value[i] : sums.value[exchange_width(step) + i];
}
INGOT_HOST_DEVICE inline void keep(ThreadSums& sums, int step, int thread, int i,
                                   std::uint64_t taken) {
  const std::uint64_t own =
      keeps_upper(step, thread) ? sums.value[exchange_width(step) + i] : sums.value[i];
  sums.value[i] = own + taken;
}

// Which sum of the group value[0] is then: block * kLanes + lane.
INGOT_HOST_DEVICE constexpr int sum_of_thread(int thread) {
  const int block = 2 * ((thread >> 4) & 1) + ((thread >> 3) & 1);
  const int lane = 2 * (thread & 3) + ((thread >> 2) & 1);
  return block * xxh3::kLanes + lane;
}

INGOT_HOST_DEVICE inline bool is_short(const DigestItem& item) {
  return item.bytes <= xxh3::kShortBytes;
}

// One accumulator of a long item, up to the end of its piece. `ahead` sums are loaded before they
// are needed: a step of the chain is shorter than the way to memory.
template <std::uint32_t ahead = 16>
INGOT_HOST_DEVICE inline std::uint64_t chain_lane(const DigestItem& item,
                                                  const std::uint64_t* all_sums,
                                                  const std::uint64_t* carried_in, int lane) {
  const std::uint64_t key = xxh3::scramble_key(lane);
  const std::uint64_t* sums = all_sums + std::uint64_t{item.first_group} * kGroupSums + lane;
  std::uint64_t accumulator =
      item.first_piece != 0 ? xxh3::initial_accumulator(lane) : carried_in[lane];
  std::uint64_t next[ahead];
  for (std::uint32_t i = 0; i < ahead; ++i) {
    next[i] = i < item.blocks ? sums[i * xxh3::kLanes] : 0;
  }
  for (std::uint32_t block = 0; block < item.blocks; block += ahead) {
    std::uint64_t now[ahead];
    for (std::uint32_t i = 0; i < ahead; ++i) now[i] = next[i];
    for (std::uint32_t i = 0; i < ahead; ++i) {
      const std::uint64_t wanted = std::uint64_t{block} + ahead + i;
      next[i] = wanted < item.blocks ? sums[wanted * xxh3::kLanes] : 0;
    }
    for (std::uint32_t i = 0; i < ahead; ++i) {
      if (block + i < item.blocks) accumulator = xxh3::chain(accumulator, now[i], key);
    }
  }
  if (item.last_piece != 0) accumulator += xxh3::tail_sum(item.data, item.bytes, lane);
  return accumulator;
}

}  // namespace ingot::gpu
