#include "bench/compare/ceilings.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>

#include "bench/support/descriptor.h"
#include "bench/support/direct_io.h"
#include "bench/support/memory_read.h"
#include "bench/support/run.h"

namespace ingot::bench {
namespace {

using nlohmann::json;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr DirectIoShape kDirect = {4 * kMiB, 32};
constexpr std::size_t kBlockBytes = 4096;

json rate(double seconds, std::size_t bytes) {
  return {{"seconds", seconds}, {"bytes_per_second", static_cast<double>(bytes) / seconds}};
}

std::size_t size_of(const std::string& path) { return std::filesystem::file_size(path); }

}  // namespace

json ceiling_copy(const Arguments& in) {
  const std::size_t size = size_of(in.at(0));
  const Memory from(size);
  const Memory to(size);
  std::memset(from.data(), 1, size);
  std::atomic<std::size_t> next = 0;
  const double seconds = time_of([&] {
    on_threads(static_cast<int>(std::thread::hardware_concurrency()), [&](int) {
      for (std::size_t at; (at = next.fetch_add(4 * kMiB)) < size;) {
        std::memcpy(to.data() + at, from.data() + at, std::min(4 * kMiB, size - at));
      }
    });
  });
  return rate(seconds, size);
}

json ceiling_read(const Arguments& in) {
  return rate(read_direct(in.at(0), kDirect), size_of(in.at(0)));
}

json ceiling_write(const Arguments& in) {
  const std::size_t size = (size_of(in.at(0)) + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  const Memory bytes(size);
  std::memset(bytes.data(), 1, size);
  return rate(write_direct(in.at(1), bytes.bytes(), kDirect), size);
}

}  // namespace ingot::bench
