#include "tools/bench/load_bench.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ingot/load_plan.h"

#include "base/error.h"
#include "io/file_system.h"
#include "tools/bench/ceilings.h"
#include "tools/cli/threads.h"

namespace ingot::tools {
namespace {

constexpr Role kAll[] = {Role::kParameter, Role::kBuffer, Role::kOptimizerState, Role::kOther};

// Kilobytes behind a key of /proc/self/status, in bytes; 0 when there is none.
std::uint64_t process_bytes(std::string_view key) {
  std::ifstream lines("/proc/self/status");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10) * 1024;
  }
  return 0;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Result<std::uint64_t> resident_bytes(io::File& file) {
  INGOT_ASSIGN_OR_RETURN(const io::FileStat stat, file.stat());
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<io::Mapping> mapping,
                         file.map(0, stat.bytes, io::MapMode::kReadOnly));
  return mapping->resident(0, stat.bytes);
}

// Pages that somebody has mapped and touched stay: then it is an error.
Status drop_from_page_cache(const std::string& path) {
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<io::File> file,
                         io::posix().open(path, io::Access::kRead));
  INGOT_RETURN_IF_ERROR(file->sync());
  INGOT_RETURN_IF_ERROR(file->advise(io::Advice::kDontNeed, 0, 0));
  INGOT_ASSIGN_OR_RETURN(const std::uint64_t left, resident_bytes(*file));
  if (left == 0) return {};
  return make_error(Code::kUnsupported, "not all of the file leaves the page cache")
      .file(path)
      .found(human_bytes(left));
}

// What is loaded and the memory it goes to.
class Target {
 public:
  static Result<Target> make(const Checkpoint& checkpoint, Device& device, bool in_place) {
    Target target(checkpoint, device, in_place);
    const std::uint64_t bytes = target.slab_.slab_bytes();
    INGOT_ASSIGN_OR_RETURN(target.memory_, device.allocate(std::max<std::uint64_t>(bytes, 1)));
    if (device.host_accessible()) std::memset(target.span().data, 1, target.span().bytes);
    if (in_place) INGOT_RETURN_IF_ERROR(target.add_tensors(checkpoint));
    return {std::move(target)};
  }

  Result<StreamReport> load(const StreamOptions& options) const {
    return in_place_ ? stream(own_, options) : stream(slab_, *device_, span(), options);
  }
  DeviceSpan span() const { return memory_->span(); }
  std::uint64_t bytes() const { return in_place_ ? own_.bytes() : slab_.bytes(); }

 private:
  Target(const Checkpoint& checkpoint, Device& device, bool in_place)
      : device_(&device),
        in_place_(in_place),
        slab_(LoadPlan::for_roles(checkpoint, kAll)),
        own_(checkpoint) {}

  // One behind the other, as they lie in memory of a caller that knows nothing of the file.
  Status add_tensors(const Checkpoint& checkpoint) {
    for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
      const TensorInfo tensor = checkpoint.info(i);
      const auto at = slab_.slab_offset(tensor);
      Destination destination;
      destination.device = device_;
      destination.memory = {span().data + at.value_or(0), tensor.bytes};
      INGOT_RETURN_IF_ERROR(own_.add(tensor, destination));
    }
    return {};
  }

  Device* device_;
  bool in_place_;
  LoadPlan slab_;
  LoadPlan own_;
  std::unique_ptr<DeviceBuffer> memory_;
};

Result<std::unique_ptr<Ceiling>> make_ceiling(const Checkpoint& checkpoint, Device& device,
                                              const LoadBenchOptions& options,
                                              std::uint64_t bytes) {
  if (options.cold || options.stream.transport == Transport::kDirect) {
    Result<std::unique_ptr<Ceiling>> storage = storage_ceiling(checkpoint.file().path);
    if (storage.ok()) return storage;
  }
  if (!device.host_accessible()) return device_ceiling(device, bytes);
  return copy_ceiling(bytes, thread_count(options.stream.threads));
}

void reset_peak() { std::ofstream("/proc/self/clear_refs") << 5; }  // proc(5)

}  // namespace

Result<LoadBench> run_load_bench(const Checkpoint& checkpoint, Device& device,
                                 const LoadBenchOptions& options) {
  std::optional<Target> target;
  INGOT_ASSIGN_OR_RETURN(target, Target::make(checkpoint, device, options.in_place));
  const std::uint64_t bytes = target->bytes();
  std::vector<double> ceilings;
  std::vector<StreamReport> reports;
  LoadBench bench;
  for (int i = 0; i <= options.repetitions; ++i) {
    {
      // Its buffers are gone before the load is looked at.
      INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<Ceiling> ceiling,
                             make_ceiling(checkpoint, device, options, bytes));
      INGOT_ASSIGN_OR_RETURN(const double rate, ceiling->measure());
      bench.ceiling = ceiling->name();
      if (i > 0) ceilings.push_back(rate / 1e9);
    }
    if (options.cold) {
      // What an earlier run mapped would stay in memory.
      target.reset();
      INGOT_RETURN_IF_ERROR(drop_from_page_cache(checkpoint.file().path));
      INGOT_ASSIGN_OR_RETURN(const Checkpoint fresh, Checkpoint::open(checkpoint.file().path));
      INGOT_ASSIGN_OR_RETURN(target, Target::make(fresh, device, options.in_place));
    }
    reset_peak();
    const std::uint64_t before = process_bytes("VmRSS:");
    INGOT_ASSIGN_OR_RETURN(StreamReport report, target->load(options.stream));
    if (i == 0) continue;  // the first one warms up what is warm
    const std::uint64_t peak = process_bytes("VmHWM:");
    bench.peak_rss_bytes = std::max(bench.peak_rss_bytes, peak);
    bench.added_rss_bytes =
        std::max(bench.added_rss_bytes, peak > before ? peak - before : std::uint64_t{0});
    reports.push_back(std::move(report));
  }
  std::sort(reports.begin(), reports.end(),
            [](const StreamReport& a, const StreamReport& b) { return a.seconds < b.seconds; });
  bench.fastest = reports.front().seconds;
  bench.slowest = reports.back().seconds;
  bench.report = reports[reports.size() / 2];
  bench.seconds = bench.report.seconds;
  bench.gbps = static_cast<double>(bench.report.bytes) / bench.seconds / 1e9;
  bench.ceiling_gbps = median(ceilings);
  bench.destination_bytes = target->span().bytes;
  return bench;
}

}  // namespace ingot::tools
