#include "cuda/digester.h"

#include <algorithm>
#include <utility>

#include "cuda/device_guard.h"
#include "cuda/device_memory.h"
#include "cuda/digest_kernel.h"
#include "cuda/host_memory.h"

namespace ingot::gpu {
namespace {

constexpr std::uint32_t kLanes = 2;
constexpr std::uint64_t kGroupBytes = kGroupSums * sizeof(std::uint64_t);
constexpr std::uint64_t kSlotBytes = xxh3::kLanes * sizeof(std::uint64_t);
constexpr std::uint64_t kMaxItems = 32768;
constexpr std::uint64_t kMaxGroups = std::uint64_t{1} << 30;

DigestLimits limits_for(std::uint64_t scratch_bytes) {
  const std::uint64_t groups =
      std::clamp<std::uint64_t>(scratch_bytes / kLanes / kGroupBytes, 1, kMaxGroups);
  return {.items = static_cast<std::uint32_t>(std::min(groups, kMaxItems)),
          .groups = static_cast<std::uint32_t>(groups)};
}

// A lane's memory on the device: sums, digests, items. Of the host's twin: digests, items.
std::uint64_t sums_bytes(const DigestLimits& limits) { return limits.groups * kGroupBytes; }
std::uint64_t digests_bytes(const DigestLimits& limits) {
  return limits.items * 2 * sizeof(std::uint64_t);
}
std::uint64_t items_bytes(const DigestLimits& limits) { return limits.items * sizeof(DigestItem); }

}  // namespace

Result<Digester::Lane> Digester::Lane::create(int ordinal, const DigestLimits& limits) {
  const std::uint64_t shared = digests_bytes(limits) + items_bytes(limits);
  INGOT_ASSIGN_OR_RETURN(Stream stream, Stream::create(ordinal));
  INGOT_ASSIGN_OR_RETURN(Event chained, Event::create(ordinal));
  INGOT_ASSIGN_OR_RETURN(Event copied, Event::create(ordinal));
  INGOT_ASSIGN_OR_RETURN(auto memory, allocate_on(ordinal, sums_bytes(limits) + shared));
  INGOT_ASSIGN_OR_RETURN(auto staging, make_staging(ordinal, shared));
  return Lane{.stream = std::move(stream),
              .chained = std::move(chained),
              .copied = std::move(copied),
              .memory = std::move(memory),
              .staging = std::move(staging)};
}

Result<std::unique_ptr<Digester>> Digester::create(int ordinal, std::uint64_t scratch_bytes) {
  DeviceGuard guard(ordinal);
  INGOT_RETURN_IF_ERROR(guard.status());
  const DigestLimits limits = limits_for(scratch_bytes);
  INGOT_ASSIGN_OR_RETURN(auto carried, allocate_on(ordinal, 2 * kSlotBytes));
  std::vector<Lane> lanes;
  for (std::uint32_t i = 0; i < kLanes; ++i) {
    INGOT_ASSIGN_OR_RETURN(Lane lane, Lane::create(ordinal, limits));
    lanes.push_back(std::move(lane));
  }
  return std::unique_ptr<Digester>(
      new Digester(ordinal, limits, std::move(carried), std::move(lanes)));
}

Status Digester::start_after(const Event& event) {
  for (const Lane& lane : lanes_) INGOT_RETURN_IF_ERROR(event.hold(lane.stream.get()));
  return {};
}

Status Digester::digest(std::span<const DeviceSpan> ranges, std::span<Digest128> digests) {
  DeviceGuard guard(ordinal_);
  INGOT_RETURN_IF_ERROR(guard.status());
  Status done = run(ranges, digests);
  if (done.ok()) return done;
  // Items and digests are in use until the streams are idle.
  for (const Lane& lane : lanes_) static_cast<void>(lane.stream.settle());
  return done;
}

Status Digester::run(std::span<const DeviceSpan> ranges, std::span<Digest128> digests) {
  DigestPlan plan(ranges, limits_);
  for (Lane& lane : lanes_) lane.batch = {};
  for (std::uint64_t number = 0;; ++number) {
    Lane& lane = lanes_[number % kLanes];
    INGOT_RETURN_IF_ERROR(collect(lane, digests));
    lane.batch = plan.next(host_items(lane));
    if (lane.batch.items == 0) break;
    INGOT_RETURN_IF_ERROR(start(number));
  }
  for (Lane& lane : lanes_) INGOT_RETURN_IF_ERROR(collect(lane, digests));
  return {};
}

Status Digester::start(std::uint64_t number) {
  Lane& lane = lanes_[number % kLanes];
  const cudaStream_t stream = lane.stream.get();
  const DigestLaunch launch = launch_of(lane, number);
  const std::span<DigestItem> items = host_items(lane);
  INGOT_RETURN_IF_ERROR(
      check(cudaMemcpyAsync(const_cast<DigestItem*>(launch.items), items.data(),
                            lane.batch.items * sizeof(DigestItem), cudaMemcpyHostToDevice, stream),
            "cudaMemcpyAsync", ordinal_));
  INGOT_RETURN_IF_ERROR(
      check(launch_block_sums(launch, stream), "the block sums' launch", ordinal_));
  if (number > 0) {
    INGOT_RETURN_IF_ERROR(lanes_[(number - 1) % kLanes].chained.hold(stream));
  }
  INGOT_RETURN_IF_ERROR(check(launch_chains(launch, stream), "the chains' launch", ordinal_));
  INGOT_RETURN_IF_ERROR(lane.chained.record(stream));
  INGOT_RETURN_IF_ERROR(check(
      cudaMemcpyAsync(lane.staging->bytes().data(), launch.digests,
                      lane.batch.items * 2 * sizeof(std::uint64_t), cudaMemcpyDeviceToHost, stream),
      "cudaMemcpyAsync", ordinal_));
  return lane.copied.record(stream);
}

Status Digester::collect(Lane& lane, std::span<Digest128> digests) {
  if (lane.batch.items == 0) return {};
  INGOT_RETURN_IF_ERROR(lane.copied.wait());
  const auto* values = reinterpret_cast<const std::uint64_t*>(lane.staging->bytes().data());
  const std::span<DigestItem> items = host_items(lane);
  for (std::uint32_t i = 0; i < lane.batch.items; ++i) {
    if (items[i].last_piece == 0) continue;
    digests[lane.batch.first_range + i] = {.low = values[2 * i], .high = values[2 * i + 1]};
  }
  lane.batch = {};
  return {};
}

std::span<DigestItem> Digester::host_items(const Lane& lane) const {
  std::byte* items = lane.staging->bytes().data() + digests_bytes(limits_);
  return {reinterpret_cast<DigestItem*>(items), limits_.items};
}

DigestLaunch Digester::launch_of(const Lane& lane, std::uint64_t number) const {
  std::byte* sums = lane.memory->span().data;
  std::byte* digests = sums + sums_bytes(limits_);
  std::byte* items = digests + digests_bytes(limits_);
  std::byte* slots = carried_->span().data;
  return {.items = reinterpret_cast<const DigestItem*>(items),
          .item_count = lane.batch.items,
          .groups = lane.batch.groups,
          .sums = reinterpret_cast<std::uint64_t*>(sums),
          .carried_in = reinterpret_cast<const std::uint64_t*>(slots + number % 2 * kSlotBytes),
          .carried_out = reinterpret_cast<std::uint64_t*>(slots + (number + 1) % 2 * kSlotBytes),
          .digests = reinterpret_cast<std::uint64_t*>(digests)};
}

}  // namespace ingot::gpu
