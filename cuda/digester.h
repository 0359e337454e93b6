// XXH3-128 of ranges of a GPU's memory, in launches of bounded size. Two launches are under way at
// a time: while the chains of one are followed, the block sums of the next are made.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ingot/device.h"
#include "ingot/status.h"

#include "cuda/digest_plan.h"
#include "cuda/digest_steps.h"
#include "cuda/handles.h"

namespace ingot::gpu {

class Digester {
 public:
  // About `scratch_bytes` of the device's memory for sums, and at most 4 MiB more, of which the
  // host has page-locked twins.
  static Result<std::unique_ptr<Digester>> create(int ordinal, std::uint64_t scratch_bytes);

  // What digest() reads from now on was written before the event, as of its last record().
  Status start_after(const Event& event);

  // Blocks. After it nothing is in flight, also after an error. One thread at a time.
  // REQUIRES: ranges.size() == digests.size().
  Status digest(std::span<const DeviceSpan> ranges, std::span<Digest128> digests);

 private:
  // One of the two launches: its stream and its memory.
  struct Lane {
    Stream stream;
    Event chained;  // behind the chains, and with them the carried accumulators
    Event copied;   // behind the digests' way to the host
    std::unique_ptr<DeviceBuffer> memory;
    std::unique_ptr<StagingBuffer> staging;
    DigestBatch batch = {};

    static Result<Lane> create(int ordinal, const DigestLimits& limits);
  };

  Digester(int ordinal, DigestLimits limits, std::unique_ptr<DeviceBuffer> carried,
           std::vector<Lane> lanes)
      : ordinal_(ordinal),
        limits_(limits),
        carried_(std::move(carried)),
        lanes_(std::move(lanes)) {}

  Status run(std::span<const DeviceSpan> ranges, std::span<Digest128> digests);
  Status start(std::uint64_t number);
  Status collect(Lane& lane, std::span<Digest128> digests);
  std::span<DigestItem> host_items(const Lane& lane) const;
  DigestLaunch launch_of(const Lane& lane, std::uint64_t number) const;

  int ordinal_;
  DigestLimits limits_;
  std::unique_ptr<DeviceBuffer> carried_;  // two slots of accumulators
  std::vector<Lane> lanes_;                // two
};

}  // namespace ingot::gpu
