#include "bench/compare/ceilings.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>

#include "ingot/digest.h"

#include "bench/open/index_parts.h"
#include "bench/support/descriptor.h"
#include "bench/support/direct_io.h"
#include "bench/support/memory_read.h"
#include "bench/support/page_cache.h"
#include "bench/support/run.h"

namespace ingot::bench {
namespace {

using nlohmann::json;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kBlockBytes = 4096;

json rate(double seconds, std::size_t bytes) {
  return {{"seconds", seconds}, {"bytes_per_second", static_cast<double>(bytes) / seconds}};
}

std::size_t size_of(const std::string& path) { return std::filesystem::file_size(path); }

int processors() { return static_cast<int>(std::thread::hardware_concurrency()); }

// One after another in one process, so that whatever disturbs the machine disturbs all.
template <typename Measure>
json each_direct_shape(const std::string& first, std::size_t bytes, Measure&& measure) {
  json runs = json::object();
  const std::size_t begin = std::stoull(first);
  for (std::size_t i = 0; i < std::size(kDirectIoShapes); ++i) {
    const DirectIoShape& shape = kDirectIoShapes[(begin + i) % std::size(kDirectIoShapes)];
    runs[shape.name()] = rate(measure(shape), bytes);
  }
  return {{"runs", runs}};
}

json timed_part(const std::string& path, IndexPart part) {
  const IndexBytes index(path);
  bool good = false;
  const double seconds = time_of([&] { good = part(index); });
  if (!good) throw std::runtime_error("the index is not intact: " + path);
  return {{"seconds", seconds}};
}

}  // namespace

json ceiling_open(const Arguments& in) {
  timed_part(in.at(1), hash_and_verify);
  return timed_part(in.at(0), hash_and_verify);
}

json part_open(const Arguments& in) {
  json runs = json::object();
  for (const std::string& path : {in.at(1), in.at(0)}) {
    runs["read-index"] = timed_part(path, read_index);
    runs["validate-index"] = timed_part(path, validate_index);
  }
  return {{"runs", runs}};
}

json ceiling_copy(const Arguments& in) {
  const std::size_t size = size_of(in.at(0));
  const Memory from(size);
  const Memory to(size);
  std::memset(from.data(), 1, size);
  std::atomic<std::size_t> next = 0;
  const double seconds = time_of([&] {
    on_threads(processors(), [&](int) {
      for (std::size_t at; (at = next.fetch_add(4 * kMiB)) < size;) {
        std::memcpy(to.data() + at, from.data() + at, std::min(4 * kMiB, size - at));
      }
    });
  });
  return rate(seconds, size);
}

json ceiling_hash(const Arguments& in) {
  const Memory memory(size_of(in.at(0)));
  std::memset(memory.data(), 1, memory.bytes().size());
  const double seconds = time_of([&] {
    benchmark::DoNotOptimize(
        sum_parallel(memory.bytes(), kMiB, processors(),
                     [](std::span<const std::byte> part) { return digest_of(part).low; }));
  });
  return rate(seconds, memory.bytes().size());
}

json ceiling_read(const Arguments& in) {
  const std::string& path = in.at(0);
  return each_direct_shape(in.at(1), size_of(path), [&](const DirectIoShape& shape) {
    if (!make_cold(path)) throw_errno("putting out of the page cache: " + path, EBUSY);
    return read_direct(path, shape);
  });
}

// From huge pages, which contenders' tensors do not lie in: the best that the machine can do.
json ceiling_write(const Arguments& in) {
  const std::string& path = in.at(1);
  const std::size_t size = (size_of(in.at(0)) + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  const Memory bytes(size);
  std::memset(bytes.data(), 1, size);
  return each_direct_shape(in.at(2), size, [&](const DirectIoShape& shape) {
    std::filesystem::remove(path);
    sync();
    return write_direct(path, bytes.bytes(), shape);
  });
}

}  // namespace ingot::bench
