#include "bench/support/verify_run.h"

#include <optional>

#include "ingot/bus_guard.h"
#include "ingot/exceptions.h"

#include "bench/support/page_cache.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"

namespace ingot::bench {

void run_verify(benchmark::State& state, const std::string& path, ReadPath read, int threads,
                Cache cache) {
  std::optional<BusGuard> guard;  // the command has one
  if (read == ReadPath::kFastest) guard.emplace(or_throw(BusGuard::install()));
  for (auto _ : state) {
    // A new one each time: what an earlier run mapped must not help this one.
    Checkpoint checkpoint = or_throw(Checkpoint::open(path));
    bool ready =
        cache == Cache::kWarm ? residency(path).warm() || make_warm(path) : make_cold(path);
    if (!ready) return state.SkipWithError("the page cache is not in the state to be measured");
    VerifyOptions options{.path = read, .threads = threads};
    Usage usage;
    Result<VerifyReport> report(Status(Code::kInternal, "not run"));
    state.SetIterationTime(time_of([&] { report = verify(checkpoint, options); }));
    usage.report(state);
    or_throw(report.status());
    if (!report->intact()) return state.SkipWithError("the file is not intact");
    if (!guard && report->path != read) return state.SkipWithError("another path was taken");
    state.counters["chunks"] = static_cast<double>(report->chunks);
    state.counters["workers"] = report->threads;
    state.SetBytesProcessed(static_cast<std::int64_t>(checkpoint.file().file_bytes));
  }
}

}  // namespace ingot::bench
