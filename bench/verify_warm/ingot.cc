#include "bench/support/direct_io.h"
#include "bench/support/files.h"
#include "bench/support/run.h"
#include "bench/support/verify_run.h"
#include "bench/verify_warm/verify_warm.h"

namespace ingot::bench {

void register_verify_warm_ingot(const WarmFile& file) {
  auto add = [&](const char* contender, ReadPath read) {
    add_benchmark("verify-warm", file.shape, contender, Repeat::kOnce,
                  [file, read](benchmark::State& state) {
                    run_verify(state, file.input->warm_path(), read, file.threads, Cache::kWarm);
                  });
  };
  add_benchmark(
      "verify-warm", file.shape, "part:metadata", Repeat::kOnce, [file](benchmark::State& state) {
        run_verify(state, file.empty->warm_path(), ReadPath::kMapping, file.threads, Cache::kWarm);
        state.SetBytesProcessed(0);  // of a file without data a rate says nothing
      });
  add("ingot", ReadPath::kFastest);
  add("ingot-mapping", ReadPath::kMapping);
  add("ingot-read", ReadPath::kRead);
  if (has_direct_io(cache_folder())) add("ingot-direct", ReadPath::kDirect);
}

}  // namespace ingot::bench
