#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "bench/save/save.h"
#include "bench/support/run.h"

namespace ingot::bench {
namespace {

void write_and_sync(const std::string& path, std::span<const std::byte> bytes) {
  Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
  while (!bytes.empty()) {
    ssize_t n = write(file.get(), bytes.data(), std::min<std::size_t>(bytes.size(), 1u << 20));
    if (n <= 0) throw_errno("write " + path);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  if (fsync(file.get()) != 0) throw_errno("fsync " + path);
}

}  // namespace

void register_save_buffered(const std::shared_ptr<const Payload>& payload) {
  add_benchmark("save", payload->shape().name, "write+fsync", Repeat::kOnce,
                [payload](benchmark::State& state) {
                  const std::span<const std::byte> bytes = payload->bytes();
                  for (auto _ : state) {
                    clear_output();
                    std::string path = save_path();
                    state.SetIterationTime(time_of([&] { write_and_sync(path, bytes); }));
                    state.SetBytesProcessed(static_cast<std::int64_t>(payload->shape().bytes()));
                  }
                });
}

}  // namespace ingot::bench
