#include <functional>
#include <memory>
#include <span>
#include <string>

#include "bench/save/save.h"
#include "bench/support/direct_io.h"
#include "bench/support/files.h"
#include "bench/support/hash_and_copy.h"
#include "bench/support/run.h"

namespace ingot::bench {
namespace {

// Makes a new file of the bytes and says how long it took.
using Write = std::function<double(const std::string& path, std::span<const std::byte> bytes)>;

void add_write(const std::shared_ptr<const Payload>& payload, const std::string& contender,
               const Write& write) {
  add_benchmark("save", payload->shape().name, contender, Repeat::kOnce,
                [payload, write](benchmark::State& state) {
                  // Whole sectors; less than one is left out.
                  auto bytes = payload->bytes().first(payload->bytes().size() / 4096 * 4096);
                  for (auto _ : state) {
                    clear_output();
                    state.SetIterationTime(write(save_path(), bytes));
                    state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size()));
                  }
                });
}

}  // namespace

void register_save_ceiling(const std::shared_ptr<const Payload>& payload) {
  if (!has_direct_io(cache_folder())) return;
  for (const DirectIoShape& io : kDirectIoShapes) {
    add_write(payload, "ceiling:direct-write-" + io.name(),
              [io](const std::string& path, std::span<const std::byte> bytes) {
                return write_direct(path, bytes, io);
              });
  }
  add_write(payload, "part:2*xxh3+memcpy+direct-write",
            [](const std::string& path, std::span<const std::byte> bytes) {
              return write_direct_through(path, bytes, kWriterShape, hash_and_copy);
            });
}

}  // namespace ingot::bench
