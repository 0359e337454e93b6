#include "bench/save/save.h"
#include "bench/support/direct_io.h"
#include "bench/support/files.h"
#include "bench/support/run.h"

namespace ingot::bench {

void register_save_ceiling(std::shared_ptr<const Payload> payload) {
  if (!has_direct_io(cache_folder())) return;
  for (const DirectIoShape& io : kDirectIoShapes) {
    add_benchmark("save", payload->shape().name, "ceiling:direct-write-" + io.name(), Repeat::kOnce,
                  [payload, io](benchmark::State& state) {
                    // Whole sectors; less than one is left out.
                    auto bytes = payload->bytes().first(payload->bytes().size() / 4096 * 4096);
                    for (auto _ : state) {
                      clear_output();
                      state.SetIterationTime(write_direct(save_path(), bytes, io));
                      state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size()));
                    }
                  });
  }
}

}  // namespace ingot::bench
