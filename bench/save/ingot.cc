#include <algorithm>
#include <optional>

#include "bench/save/save.h"
#include "bench/support/hash_and_copy.h"
#include "bench/support/options.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"

namespace ingot::bench {
namespace {

void save_durably(benchmark::State& state, const Payload& payload, const WriterOptions& options) {
  static_cast<void>(payload.bytes());  // makes them
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

// What save() does before it takes the first byte: describes the tensors, and creates a Writer for
// them, which checks the plan, lays the file out, makes and proves its index and reserves its
// space. What undoes that is outside of the time, and leaves nothing.
void plan_and_index(benchmark::State& state, const Payload& payload) {
  for (auto _ : state) {
    clear_output();
    const std::string path = save_path();
    WritePlan plan;
    std::optional<Result<Writer>> writer;
    state.SetIterationTime(time_of([&] {
      plan = payload.shape().plan();
      writer.emplace(Writer::create(path, plan));
    }));
    or_throw(writer->status());
  }
}

// On one thread, as a Writer does by default, with nothing in flight.
void hash_and_copy_all(benchmark::State& state, const Payload& payload) {
  const Memory slot(kWriterShape.block_bytes);
  const std::span<std::byte> all = payload.bytes();
  for (auto _ : state) {
    state.SetIterationTime(time_of([&] {
      std::size_t offset = 0;
      for (const Tensor& tensor : payload.shape().tensors) {
        for (std::size_t left = tensor.bytes(); left > 0;) {
          const std::size_t bytes = std::min(left, slot.bytes().size());
          hash_and_copy(all.subspan(offset, bytes), slot.bytes().first(bytes));
          offset += bytes;
          left -= bytes;
        }
      }
    }));
    state.SetBytesProcessed(static_cast<std::int64_t>(payload.shape().bytes()));
  }
}

}  // namespace

void register_save_ingot(const std::shared_ptr<const Payload>& payload) {
  auto add = [&](const char* contender, const WriterOptions& options) {
    add_benchmark(
        "save", payload->shape().name, contender, Repeat::kOnce,
        [payload, options](benchmark::State& state) { save_durably(state, *payload, options); });
  };
  const auto empty = std::make_shared<const Payload>(without_bytes(payload->shape()));
  add_benchmark("save", payload->shape().name, "part:metadata", Repeat::kOnce,
                [empty](benchmark::State& state) { save_durably(state, *empty, {}); });
  add_benchmark("save", payload->shape().name, "part:plan+index", Repeat::kOnce,
                [payload](benchmark::State& state) { plan_and_index(state, *payload); });
  add_benchmark("save", payload->shape().name, "part:2*xxh3+memcpy", Repeat::kOnce,
                [payload](benchmark::State& state) { hash_and_copy_all(state, *payload); });
  add("ingot", {});
  add("ingot-threads", {.threads = options().threads});
  add("ingot-buffered", {.direct = DirectIo::kOff});
}

}  // namespace ingot::bench
