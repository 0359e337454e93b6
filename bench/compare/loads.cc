#include "bench/compare/loads.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/device.h"
#include "ingot/exceptions.h"
#include "ingot/load_plan.h"
#include "ingot/stream.h"

#include "bench/compare/touch.h"
#include "bench/support/memory_read.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"
#include "tools/cli/device_option.h"

namespace ingot::bench {
namespace {

using nlohmann::json;

// `offsets`: of tensors in `memory`, by ordinal.
struct Loaded {
  Checkpoint checkpoint;
  std::unique_ptr<DeviceBuffer> memory;
  std::vector<std::uint64_t> offsets;
  StreamReport report;
};

// What a caller would write: memory is made here, too.
Loaded load(const std::string& path, Device& device, StreamVerify verify) {
  Checkpoint checkpoint = or_throw(Checkpoint::open(path));
  const LoadPlan plan = LoadPlan::for_tensors(checkpoint, {});
  auto memory = or_throw(device.allocate(plan.slab_bytes()));
  const StreamReport report = or_throw(stream(plan, device, memory->span(), {.verify = verify}));
  std::vector<std::uint64_t> offsets;
  offsets.reserve(checkpoint.tensor_count());
  checkpoint.for_each(
      {}, [&](const TensorInfo& tensor) { offsets.push_back(*plan.slab_offset(tensor)); });
  return {std::move(checkpoint), std::move(memory), std::move(offsets), report};
}

// The bytes where the processor can read them; `copy` holds them if they had to be fetched.
std::span<const std::byte> in_host_memory(Device& device, const DeviceSpan& memory,
                                          std::vector<std::byte>* copy) {
  if (device.host_accessible()) return {memory.data, memory.bytes};
  copy->resize(memory.bytes);
  const auto queue = or_throw(device.open_queue());
  or_throw(queue->copy({.destination = copy->data(),
                        .source = memory.data,
                        .width = memory.bytes,
                        .direction = CopyDirection::kFromDevice}));
  or_throw(queue->wait(or_throw(queue->record())));
  return *copy;
}

std::vector<std::span<const std::byte>> tensors_of(const Loaded& loaded,
                                                   std::span<const std::byte> memory) {
  std::vector<std::span<const std::byte>> tensors;
  tensors.reserve(loaded.offsets.size());
  loaded.checkpoint.for_each({}, [&](const TensorInfo& tensor) {
    tensors.push_back(memory.subspan(loaded.offsets[tensors.size()], tensor.bytes));
  });
  return tensors;
}

std::vector<std::uint32_t> by_name(const Checkpoint& checkpoint) {
  std::vector<std::uint32_t> order(checkpoint.tensor_count());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return checkpoint.info(a).name < checkpoint.info(b).name;
  });
  return order;
}

// What a load cost, and what it ends with.
struct Cost {
  double seconds = 0;
  std::uint64_t peak_resident = 0;
  std::uint64_t storage_read = 0;
};

template <typename Load>
Cost cost_of(Load&& load) {
  reset_peak_resident_bytes();
  const std::uint64_t before = storage_read_bytes();
  const double seconds = time_of(std::forward<Load>(load));
  return {seconds, peak_resident_bytes(), storage_read_bytes() - before};
}

// As proof_of() in bench/compare/tensors.py: one number of all sums, in the order of the names.
json proven(const Cost& cost, const Checkpoint& checkpoint,
            const std::vector<std::span<const std::byte>>& tensors) {
  std::uint64_t bytes = 0;
  std::uint64_t proof = 0;
  std::uint64_t place = 0;
  for (std::uint32_t ordinal : by_name(checkpoint)) {
    proof += (2 * place++ + 1) * sum_words(tensors[ordinal]);
    bytes += tensors[ordinal].size();
  }
  return {{"seconds", cost.seconds},
          {"bytes_per_second", static_cast<double>(bytes) / cost.seconds},
          {"peak_rss_bytes", cost.peak_resident},
          {"storage_read", cost.storage_read},
          {"proof", std::to_string(proof)}};
}

enum class Proof { kNone, kInPlace };

struct Mapped {
  Checkpoint checkpoint;
  std::vector<std::span<const std::byte>> tensors;  // by ordinal
};

// The mapped file itself is the memory.
Mapped map(const std::string& path, Proof proof) {
  Checkpoint checkpoint = or_throw(Checkpoint::open(path));
  if (proof == Proof::kInPlace) verify_or_throw(checkpoint, {.path = ReadPath::kMapping});
  std::vector<std::span<const std::byte>> tensors = views(checkpoint);
  for (const auto& tensor : tensors) benchmark::DoNotOptimize(touch(tensor));
  return {std::move(checkpoint), std::move(tensors)};
}

json timed_map(const Arguments& in, Proof proof) {
  map(in.at(1), proof);
  std::optional<Mapped> mapped;
  const Cost cost = cost_of([&] { mapped.emplace(map(in.at(0), proof)); });
  return proven(cost, mapped->checkpoint, mapped->tensors);
}

json timed_load(const Arguments& in, StreamVerify verify) {
  const auto device = or_throw(tools::open_device(in.at(2) == "cpu" ? "host" : in.at(2)));
  load(in.at(1), *device, verify);
  std::optional<Loaded> loaded;
  const Cost cost = cost_of([&] { loaded.emplace(load(in.at(0), *device, verify)); });
  std::vector<std::byte> copy;
  const auto memory = in_host_memory(*device, loaded->memory->span(), &copy);
  json out = proven(cost, loaded->checkpoint, tensors_of(*loaded, memory));
  if (!device->host_accessible()) {
    out["peak_device_bytes"] = memory.size();
    out["peak_pinned_bytes"] = loaded->report.peak_staging_bytes;
  }
  return out;
}

json listing_of(const Checkpoint& checkpoint,
                const std::vector<std::span<const std::byte>>& tensors) {
  json listing = json::array();
  for (std::uint32_t ordinal : by_name(checkpoint)) {
    const TensorInfo tensor = checkpoint.info(ordinal);
    const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    listing.push_back({tensor.name, dtype_name(tensor.dtype), shape, sum_words(tensors[ordinal])});
  }
  return listing;
}

json checked_load(const Arguments& in, StreamVerify verify) {
  const Loaded loaded = load(in.at(0), host_device(), verify);
  const DeviceSpan memory = loaded.memory->span();
  return listing_of(loaded.checkpoint, tensors_of(loaded, {memory.data, memory.bytes}));
}

json checked_map(const Arguments& in, Proof proof) {
  const Mapped mapped = map(in.at(0), proof);
  return listing_of(mapped.checkpoint, mapped.tensors);
}

}  // namespace

std::vector<std::span<const std::byte>> views(const Checkpoint& checkpoint) {
  std::vector<std::span<const std::byte>> tensors;
  tensors.reserve(checkpoint.tensor_count());
  checkpoint.for_each({}, [&](const TensorInfo& tensor) {
    tensors.push_back(or_throw(checkpoint.view(tensor)).bytes);
  });
  return tensors;
}

void verify_or_throw(const Checkpoint& checkpoint, const VerifyOptions& options) {
  const VerifyReport report = or_throw(verify(checkpoint, options));
  if (!report.intact()) throw Error(report.errors.front());
}

json load_file(const Arguments& in) { return timed_load(in, StreamVerify::kTouched); }
json load_unverified(const Arguments& in) { return timed_load(in, StreamVerify::kNone); }

json load_mapped(const Arguments& in) { return timed_map(in, Proof::kNone); }
json load_mapped_verified(const Arguments& in) { return timed_map(in, Proof::kInPlace); }

json checked(const Arguments& in) { return checked_load(in, StreamVerify::kTouched); }
json checked_unverified(const Arguments& in) { return checked_load(in, StreamVerify::kNone); }

json checked_mapped(const Arguments& in) { return checked_map(in, Proof::kNone); }
json checked_mapped_verified(const Arguments& in) { return checked_map(in, Proof::kInPlace); }

json checked_verified(const Arguments& in) {
  verify_or_throw(or_throw(Checkpoint::open(in.at(0))), {});
  return checked(in);
}

}  // namespace ingot::bench
