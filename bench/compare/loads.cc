#include "bench/compare/loads.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/device.h"
#include "ingot/exceptions.h"
#include "ingot/load_plan.h"
#include "ingot/stream.h"
#include "ingot/verify.h"

#include "bench/support/memory_read.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"

namespace ingot::bench {
namespace {

using nlohmann::json;

constexpr std::size_t kPageBytes = 4096;

struct Loaded {
  Checkpoint checkpoint;
  std::unique_ptr<DeviceBuffer> memory;
  std::vector<std::span<const std::byte>> tensors;  // by ordinal
};

// What a caller would write: memory is made here, too.
Loaded load(const std::string& path, StreamVerify verify) {
  Checkpoint checkpoint = or_throw(Checkpoint::open(path));
  const LoadPlan plan = LoadPlan::for_tensors(checkpoint, {});
  auto memory = or_throw(host_device().allocate(plan.slab_bytes()));
  or_throw(stream(plan, host_device(), memory->span(), {.verify = verify}).status());
  const std::byte* begin = memory->span().data;
  std::vector<std::span<const std::byte>> tensors;
  tensors.reserve(checkpoint.tensor_count());
  checkpoint.for_each({}, [&](const TensorInfo& tensor) {
    tensors.emplace_back(begin + *plan.slab_offset(tensor), tensor.bytes);
  });
  return {std::move(checkpoint), std::move(memory), std::move(tensors)};
}

std::vector<std::span<const std::byte>> views(const Checkpoint& checkpoint) {
  std::vector<std::span<const std::byte>> tensors;
  tensors.reserve(checkpoint.tensor_count());
  checkpoint.for_each({}, [&](const TensorInfo& tensor) {
    tensors.push_back(or_throw(checkpoint.view(tensor)).bytes);
  });
  return tensors;
}

// A byte of every page, and the last.
std::uint64_t touch(const std::vector<std::span<const std::byte>>& tensors) {
  std::uint64_t sum = 0;
  for (const auto& tensor : tensors) {
    for (std::size_t at = 0; at < tensor.size(); at += kPageBytes) {
      sum += static_cast<std::uint64_t>(tensor[at]);
    }
    if (!tensor.empty()) sum += static_cast<std::uint64_t>(tensor.back());
  }
  return sum;
}

std::vector<std::uint32_t> by_name(const Checkpoint& checkpoint) {
  std::vector<std::uint32_t> order(checkpoint.tensor_count());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return checkpoint.info(a).name < checkpoint.info(b).name;
  });
  return order;
}

// As proof_of() in bench/compare/tensors.py: one number of all sums, in the order of the names.
json proven(double seconds, const Checkpoint& checkpoint,
            const std::vector<std::span<const std::byte>>& tensors) {
  const std::uint64_t peak = peak_resident_bytes();
  std::uint64_t bytes = 0;
  std::uint64_t proof = 0;
  std::uint64_t place = 0;
  for (std::uint32_t ordinal : by_name(checkpoint)) {
    proof += (2 * place++ + 1) * sum_words(tensors[ordinal]);
    bytes += tensors[ordinal].size();
  }
  return {{"seconds", seconds},
          {"bytes_per_second", static_cast<double>(bytes) / seconds},
          {"peak_rss_bytes", peak},
          {"proof", std::to_string(proof)}};
}

void verify_or_throw(const Checkpoint& checkpoint, const VerifyOptions& options) {
  const VerifyReport report = or_throw(verify(checkpoint, options));
  if (!report.intact()) throw Error(report.errors.front());
}

enum class Proof { kNone, kInPlace };

// The mapped file itself is the memory.
json timed_map(const Arguments& in, Proof proof) {
  std::vector<std::span<const std::byte>> tensors;
  const auto map = [&](const std::string& path) {
    Checkpoint checkpoint = or_throw(Checkpoint::open(path));
    if (proof == Proof::kInPlace) verify_or_throw(checkpoint, {.path = ReadPath::kMapping});
    tensors = views(checkpoint);
    benchmark::DoNotOptimize(touch(tensors));
    return checkpoint;
  };
  map(in.at(1));
  std::optional<Checkpoint> checkpoint;
  const double seconds = time_of([&] { checkpoint.emplace(map(in.at(0))); });
  return proven(seconds, *checkpoint, tensors);
}

json timed_load(const Arguments& in, StreamVerify verify) {
  load(in.at(1), verify);
  std::optional<Loaded> loaded;
  const double seconds = time_of([&] { loaded.emplace(load(in.at(0), verify)); });
  return proven(seconds, loaded->checkpoint, loaded->tensors);
}

}  // namespace

json load_file(const Arguments& in) { return timed_load(in, StreamVerify::kTouched); }
json load_unverified(const Arguments& in) { return timed_load(in, StreamVerify::kNone); }

json load_mapped(const Arguments& in) { return timed_map(in, Proof::kNone); }
json load_mapped_verified(const Arguments& in) { return timed_map(in, Proof::kInPlace); }

json view_file(const Arguments& in) {
  views(or_throw(Checkpoint::open(in.at(1))));
  std::size_t count = 0;
  const double seconds = time_of([&] {
    const Checkpoint checkpoint = or_throw(Checkpoint::open(in.at(0)));
    count = views(checkpoint).size();
  });
  return {{"seconds", seconds}, {"tensors", count}, {"peak_rss_bytes", peak_resident_bytes()}};
}

json verify_file(const Arguments& in) {
  const auto run = [](const std::string& path) {
    verify_or_throw(or_throw(Checkpoint::open(path)), {});
  };
  run(in.at(1));
  const double seconds = time_of([&] { run(in.at(0)); });
  return {{"seconds", seconds}, {"peak_rss_bytes", peak_resident_bytes()}};
}

json checked(const Arguments& in) {
  const Loaded loaded = load(in.at(0), StreamVerify::kTouched);
  json listing = json::array();
  for (std::uint32_t ordinal : by_name(loaded.checkpoint)) {
    const TensorInfo tensor = loaded.checkpoint.info(ordinal);
    const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    listing.push_back(
        {tensor.name, dtype_name(tensor.dtype), shape, sum_words(loaded.tensors[ordinal])});
  }
  return listing;
}

json checked_verified(const Arguments& in) {
  verify_or_throw(or_throw(Checkpoint::open(in.at(0))), {});
  return checked(in);
}

}  // namespace ingot::bench
