#include "tests/cuda/digest_on_host.h"

#include <array>

namespace ingot::gpu::testing {
namespace {

using Warp = std::array<ThreadSums, kWarpThreads>;

void read_group(Warp& warp, const GroupTask& task) {
  for (int thread = 0; thread < kWarpThreads; ++thread) {
    const ThreadKeys keys = thread_keys(thread);
    for (int block = 0; block < task.blocks; ++block) {
      for (int half = 0; half < 2; ++half) {
        const unsigned char* from = task.data + block * static_cast<int>(xxh3::kBlockBytes) +
                                    half * kHalfBlockBytes + thread_offset(thread);
        take(warp[static_cast<std::size_t>(thread)], block, half, keys, xxh3::load64(from),
             xxh3::load64(from + 8));
      }
    }
  }
}

void exchange(Warp& warp, int step) {
  for (int i = 0; i < exchange_width(step); ++i) {
    std::array<std::uint64_t, kWarpThreads> sent{};
    for (int thread = 0; thread < kWarpThreads; ++thread) {
      sent[static_cast<std::size_t>(thread)] =
          given(warp[static_cast<std::size_t>(thread)], step, thread, i);
    }
    for (int thread = 0; thread < kWarpThreads; ++thread) {
      keep(warp[static_cast<std::size_t>(thread)], step, thread, i,
           sent[static_cast<std::size_t>(exchange_partner(step, thread))]);
    }
  }
}

}  // namespace

void block_sums_on_host(const DigestLaunch& launch) {
  // From the last group to the first: no sum may depend on another.
  for (std::uint32_t group = launch.groups; group-- > 0;) {
    const std::uint32_t item = item_of_group(launch.items, launch.item_count, group);
    Warp warp{};
    read_group(warp, group_task(launch.items[item], group));
    for (int step = 0; step < kExchanges; ++step) exchange(warp, step);
    for (int thread = 0; thread < kWarpThreads; ++thread) {
      launch.sums[std::uint64_t{group} * kGroupSums +
                  static_cast<std::uint64_t>(sum_of_thread(thread))] =
          warp[static_cast<std::size_t>(thread)].value[0];
    }
  }
}

void chains_on_host(const DigestLaunch& launch) {
  // From the last item to the first: what is carried in must not be what is carried out.
  for (std::uint32_t i = launch.item_count; i-- > 0;) {
    const DigestItem& item = launch.items[i];
    std::uint64_t* digest = launch.digests + 2 * std::uint64_t{i};
    if (is_short(item)) {
      const xxh3::Hash128 hash = xxh3::hash_short(item.data, item.bytes);
      digest[0] = hash.low;
      digest[1] = hash.high;
      continue;
    }
    std::uint64_t accumulators[xxh3::kLanes];
    for (int lane = 0; lane < xxh3::kLanes; ++lane) {
      accumulators[lane] = chain_lane(item, launch.sums, launch.carried_in, lane);
    }
    if (item.last_piece != 0) {
      digest[0] = xxh3::finish_low(accumulators, item.bytes);
      digest[1] = xxh3::finish_high(accumulators, item.bytes);
    } else {
      for (int lane = 0; lane < xxh3::kLanes; ++lane) {
        launch.carried_out[lane] = accumulators[lane];
      }
    }
  }
}

}  // namespace ingot::gpu::testing
