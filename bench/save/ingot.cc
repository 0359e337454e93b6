#include "bench/save/save.h"
#include "bench/support/options.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"

namespace ingot::bench {
namespace {

void save_durably(benchmark::State& state, const Payload& payload, const WriterOptions& options) {
  for (auto _ : state) {
    clear_output();
    std::string path = save_path();
    Usage usage;
    Status status;
    state.SetIterationTime(time_of([&] { status = save(payload, path, options); }));
    usage.report(state);
    or_throw(status);
    state.SetBytesProcessed(static_cast<std::int64_t>(payload.shape().bytes()));
  }
}

}  // namespace

void register_save_ingot(std::shared_ptr<const Payload> payload) {
  auto add = [&](const char* contender, const WriterOptions& options) {
    add_benchmark(
        "save", payload->shape().name, contender, Repeat::kOnce,
        [payload, options](benchmark::State& state) { save_durably(state, *payload, options); });
  };
  add("ingot", {});
  add("ingot-threads", {.threads = options().threads});
  add("ingot-buffered", {.direct = DirectIo::kOff});
}

}  // namespace ingot::bench
