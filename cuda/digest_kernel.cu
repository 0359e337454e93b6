// XXH3-128 of many ranges of device memory. The steps are in cuda/digest_steps.h; here are the
// threads that make them.
//
// Of a block of 1024 bytes, a warp reads every byte once, 16 a thread, and writes 64. Per block
// that is about 60 instructions a warp, a quarter of what a multiprocessor issues in the time in
// which its share of an H200's memory bandwidth delivers 1024 bytes. The chains read the 64 bytes
// again, most of them from the L2 cache; a step is about ten dependent instructions, so a range of
// 1 MiB takes some 20 microseconds, whatever the number of ranges, and runs while the next batch is
// summed.
#include "cuda/digest_kernel.h"

namespace ingot::gpu {
namespace {

constexpr int kSumThreads = 256;
constexpr int kChainThreads = 64;  // few: short grids spread over more multiprocessors
constexpr int kGroupsPerCta = kSumThreads / kWarpThreads * kGroupsPerWarp;
constexpr int kItemsPerCta = kChainThreads / xxh3::kLanes;

// 16 bytes, in the widest pieces that their address allows. Not kept in the caches: nobody reads
// them again.
struct Load16 {
  __device__ static void read(const unsigned char* from, std::uint64_t& even, std::uint64_t& odd) {
    const uint4 word = __ldcs(reinterpret_cast<const uint4*>(from));
    even = word.x | (std::uint64_t{word.y} << 32);
    odd = word.z | (std::uint64_t{word.w} << 32);
  }
};

struct Load4 {
  __device__ static std::uint64_t read_one(const unsigned char* from) {
    const auto* words = reinterpret_cast<const unsigned int*>(from);
    return words[0] | (std::uint64_t{words[1]} << 32);
  }
  __device__ static void read(const unsigned char* from, std::uint64_t& even, std::uint64_t& odd) {
    even = read_one(from);
    odd = read_one(from + 8);
  }
};

struct Load1 {
  __device__ static void read(const unsigned char* from, std::uint64_t& even, std::uint64_t& odd) {
    even = xxh3::load32(from) | (std::uint64_t{xxh3::load32(from + 4)} << 32);
    odd = xxh3::load32(from + 8) | (std::uint64_t{xxh3::load32(from + 12)} << 32);
  }
};

template <typename Load, int blocks>
__device__ void read_blocks(ThreadSums& sums, const unsigned char* from, const ThreadKeys& keys) {
  std::uint64_t even[blocks][2];
  std::uint64_t odd[blocks][2];
#pragma unroll
  for (int block = 0; block < blocks; ++block) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      Load::read(from + block * static_cast<int>(xxh3::kBlockBytes) + half * kHalfBlockBytes,
                 even[block][half], odd[block][half]);
    }
  }
#pragma unroll
  for (int block = 0; block < blocks; ++block) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      take(sums, block, half, keys, even[block][half], odd[block][half]);
    }
  }
}

// All loads of a group come before their first use, so that enough of them are in flight.
template <typename Load>
__device__ void read_group(ThreadSums& sums, const GroupTask& task, int thread,
                           const ThreadKeys& keys) {
  const unsigned char* from = task.data + thread_offset(thread);
  if (task.blocks == kGroupBlocks) {
    read_blocks<Load, kGroupBlocks>(sums, from, keys);
    return;
  }
  // The end of a range. Unrolled, because registers have no index.
#pragma unroll
  for (int block = 0; block < kGroupBlocks - 1; ++block) {
    if (block < task.blocks) {
      ThreadSums one{};
      read_blocks<Load, 1>(one, from + block * static_cast<int>(xxh3::kBlockBytes), keys);
      sums.value[2 * block] = one.value[0];
      sums.value[2 * block + 1] = one.value[1];
    }
  }
}

__global__ void __launch_bounds__(kSumThreads)
    block_sums_kernel(const DigestItem* __restrict__ items, std::uint32_t item_count,
                      std::uint32_t groups, std::uint64_t* __restrict__ sums) {
  const int thread = static_cast<int>(threadIdx.x % kWarpThreads);
  const std::uint32_t warp = blockIdx.x * (kSumThreads / kWarpThreads) + threadIdx.x / kWarpThreads;
  std::uint32_t group = warp * kGroupsPerWarp;
  if (group >= groups) return;
  const std::uint32_t end = groups - group < kGroupsPerWarp ? groups : group + kGroupsPerWarp;
  const ThreadKeys keys = thread_keys(thread);
  std::uint32_t item = item_of_group(items, item_count, group);
  for (; group < end; ++group) {
    while (item + 1 < item_count && items[item + 1].first_group <= group) ++item;
    const GroupTask task = group_task(items[item], group);
    ThreadSums mine{};
    const auto address = reinterpret_cast<std::uintptr_t>(task.data);
    if (address % 16 == 0) {
      read_group<Load16>(mine, task, thread, keys);
    } else if (address % 4 == 0) {
      read_group<Load4>(mine, task, thread, keys);
    } else {
      read_group<Load1>(mine, task, thread, keys);
    }
#pragma unroll
    for (int step = 0; step < kExchanges; ++step) {
#pragma unroll
      for (int i = 0; i < exchange_width(step); ++i) {
        const unsigned long long sent = given(mine, step, thread, i);
        keep(mine, step, thread, i, __shfl_xor_sync(0xFFFFFFFFu, sent, 16 >> step));
      }
    }
    sums[std::uint64_t{group} * kGroupSums + sum_of_thread(thread)] = mine.value[0];
  }
}

__global__ void __launch_bounds__(kChainThreads)
    chains_kernel(const DigestItem* __restrict__ items, std::uint32_t item_count,
                  const std::uint64_t* __restrict__ sums,
                  const std::uint64_t* __restrict__ carried_in,
                  std::uint64_t* __restrict__ carried_out, std::uint64_t* __restrict__ digests) {
  const int lane = static_cast<int>(threadIdx.x % xxh3::kLanes);
  const std::uint32_t i = blockIdx.x * kItemsPerCta + threadIdx.x / xxh3::kLanes;
  if (i >= item_count) return;  // all eight threads of an item
  const DigestItem item = items[i];
  std::uint64_t* digest = digests + 2 * std::uint64_t{i};
  if (is_short(item)) {
    if (lane != 0) return;
    const xxh3::Hash128 hash = xxh3::hash_short(item.data, item.bytes);
    digest[0] = hash.low;
    digest[1] = hash.high;
    return;
  }
  const unsigned long long mine = chain_lane(item, sums, carried_in, lane);
  if (item.last_piece == 0) {
    carried_out[lane] = mine;
    return;
  }
  const unsigned int together = 0xFFu << (threadIdx.x % kWarpThreads / xxh3::kLanes * xxh3::kLanes);
  std::uint64_t all[xxh3::kLanes];
#pragma unroll
  for (int from = 0; from < xxh3::kLanes; ++from) {
    all[from] = __shfl_sync(together, mine, from, xxh3::kLanes);
  }
  if (lane == 0) digest[0] = xxh3::finish_low(all, item.bytes);
  if (lane == 1) digest[1] = xxh3::finish_high(all, item.bytes);
}

unsigned int ctas(std::uint32_t work, int per_cta) {
  const auto size = static_cast<std::uint32_t>(per_cta);
  return (work + size - 1) / size;
}

}  // namespace

// cudaGetLastError reports what a launch itself returns nowhere else, and clears it.
cudaError_t launch_block_sums(const DigestLaunch& launch, cudaStream_t stream) {
  if (launch.groups == 0) return cudaSuccess;
  block_sums_kernel<<<ctas(launch.groups, kGroupsPerCta), kSumThreads, 0, stream>>>(
      launch.items, launch.item_count, launch.groups, launch.sums);
  return cudaGetLastError();
}

cudaError_t launch_chains(const DigestLaunch& launch, cudaStream_t stream) {
  if (launch.item_count == 0) return cudaSuccess;
  chains_kernel<<<ctas(launch.item_count, kItemsPerCta), kChainThreads, 0, stream>>>(
      launch.items, launch.item_count, launch.sums, launch.carried_in, launch.carried_out,
      launch.digests);
  return cudaGetLastError();
}

}  // namespace ingot::gpu
