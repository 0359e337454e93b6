#include "bench/support/file_read.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <vector>

#include "bench/support/descriptor.h"
#include "bench/support/memory_read.h"
#include "bench/support/run.h"

namespace ingot::bench {

double read_buffered(const std::string& path, int threads) {
  constexpr std::uint64_t kBlock = std::uint64_t{1} << 20;
  const Descriptor file(path, O_RDONLY);
  const std::uint64_t size = file.size();
  std::vector<std::unique_ptr<Memory>> buffers;
  for (int i = 0; i < threads; ++i) buffers.push_back(std::make_unique<Memory>(kBlock));
  std::atomic<std::uint64_t> next = 0;
  std::atomic<std::uint64_t> total = 0;
  const double seconds = time_of([&] {
    on_threads(threads, [&](int worker) {
      std::byte* buffer = buffers[static_cast<std::size_t>(worker)]->data();
      for (std::uint64_t at; (at = next.fetch_add(kBlock)) < size;) {
        const ssize_t n = pread(file.get(), buffer, kBlock, static_cast<off_t>(at));
        if (n > 0) total += static_cast<std::uint64_t>(n);
      }
    });
  });
  if (total != size) throw_errno("short read of " + path, EIO);
  return seconds;
}

}  // namespace ingot::bench
