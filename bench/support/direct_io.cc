#include "bench/support/direct_io.h"

#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <vector>

#include "bench/support/descriptor.h"

namespace ingot::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

class Ring {
 public:
  explicit Ring(unsigned depth) {
    int error = io_uring_queue_init(depth, &ring_, 0);
    if (error < 0) throw_errno("io_uring_queue_init", -error);
  }
  ~Ring() { io_uring_queue_exit(&ring_); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  io_uring* get() { return &ring_; }

 private:
  io_uring ring_{};
};

// Fills in a transfer of `bytes` bytes at `offset`, in slot `slot`.
using Prepare =
    std::function<void(io_uring_sqe*, std::uint64_t offset, std::size_t bytes, unsigned slot)>;

// A block that has arrived, in slot `slot`.
using Arrived = std::function<void(std::size_t bytes, unsigned slot)>;

// Keeps `depth` transfers in flight until [0, total) is done.
void transfer_all(Ring& ring, std::uint64_t total, const DirectIoShape& shape,
                  const Prepare& prepare, const Arrived& arrived = {}) {
  std::uint64_t next = 0;
  std::uint64_t done = 0;
  std::vector<std::size_t> in_slot(shape.depth);
  auto start = [&](unsigned slot) {
    std::size_t bytes = std::min<std::uint64_t>(shape.block_bytes, total - next);
    in_slot[slot] = bytes;
    io_uring_sqe* entry = io_uring_get_sqe(ring.get());
    prepare(entry, next, bytes, slot);
    io_uring_sqe_set_data64(entry, slot);
    next += bytes;
  };
  for (unsigned slot = 0; slot < shape.depth && next < total; ++slot) start(slot);
  while (done < total) {
    int submitted = io_uring_submit_and_wait(ring.get(), 1);
    if (submitted < 0) throw_errno("io_uring_submit_and_wait", -submitted);
    io_uring_cqe* completion = nullptr;
    while (io_uring_peek_cqe(ring.get(), &completion) == 0) {
      int result = completion->res;
      auto slot = static_cast<unsigned>(io_uring_cqe_get_data64(completion));
      io_uring_cqe_seen(ring.get(), completion);
      if (result < 0) throw_errno("O_DIRECT transfer", -result);
      // Regular files transfer whole requests; anything else would spoil the measurement.
      if (static_cast<std::size_t>(result) != in_slot[slot]) throw_errno("short transfer", EIO);
      if (arrived) arrived(in_slot[slot], slot);
      done += in_slot[slot];
      if (next < total) start(slot);
    }
  }
}

}  // namespace

std::string DirectIoShape::name() const {
  return std::to_string(block_bytes >> 20) + "MiB-depth" + std::to_string(depth);
}

bool has_direct_io(const std::string& folder) {
  std::string path = folder + "/direct-io-probe";
  int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0644);
  if (descriptor >= 0) close(descriptor);
  unlink(path.c_str());
  return descriptor >= 0;
}

namespace {

using Place = std::function<std::byte*(std::uint64_t offset, unsigned slot)>;

double read_whole(const std::string& path, std::span<std::byte> memory, const DirectIoShape& shape,
                  const Place& place, const Arrived& arrived = {}) {
  Descriptor file(path, O_RDONLY | O_DIRECT);
  Ring ring(shape.depth);
  iovec whole{memory.data(), memory.size()};
  // Registered memory saves pinning pages for every request; limits may refuse it.
  bool registered = io_uring_register_buffers(ring.get(), &whole, 1) == 0;
  auto prepare = [&](io_uring_sqe* entry, std::uint64_t offset, std::size_t bytes, unsigned slot) {
    // O_DIRECT wants whole sectors: the last block asks for more than the file has.
    auto length = static_cast<unsigned>((bytes + 4095) / 4096 * 4096);
    if (registered) {
      io_uring_prep_read_fixed(entry, file.get(), place(offset, slot), length, offset, 0);
    } else {
      io_uring_prep_read(entry, file.get(), place(offset, slot), length, offset);
    }
  };
  auto begin = Clock::now();
  transfer_all(ring, file.size(), shape, prepare, arrived);
  return seconds_since(begin);
}

}  // namespace

double read_direct(const std::string& path, const DirectIoShape& shape, const Visit& visit) {
  Memory slots(shape.block_bytes * shape.depth);
  const auto place = [&](std::uint64_t, unsigned slot) {
    return slots.data() + slot * shape.block_bytes;
  };
  if (!visit) return read_whole(path, slots.bytes(), shape, place);
  return read_whole(path, slots.bytes(), shape, place, [&](std::size_t bytes, unsigned slot) {
    visit({place(0, slot), bytes});
  });
}

double read_direct_into(const std::string& path, std::span<std::byte> memory,
                        const DirectIoShape& shape) {
  return read_whole(path, memory, shape,
                    [&](std::uint64_t offset, unsigned) { return memory.data() + offset; });
}

namespace {

// Where the block at `offset` is written from.
using Source = std::function<const std::byte*(std::uint64_t offset, std::size_t n, unsigned slot)>;

double write_whole(const std::string& path, std::uint64_t size, const DirectIoShape& shape,
                   const Source& source) {
  Ring ring(shape.depth);
  Descriptor folder(std::filesystem::path(path).parent_path().string(), O_RDONLY | O_DIRECTORY);
  auto begin = Clock::now();
  Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL | O_DIRECT);
  if (fallocate(file.get(), 0, 0, static_cast<off_t>(size)) != 0 && errno != EOPNOTSUPP) {
    throw_errno("fallocate " + path);
  }
  auto prepare = [&](io_uring_sqe* entry, std::uint64_t offset, std::size_t n, unsigned slot) {
    io_uring_prep_write(entry, file.get(), source(offset, n, slot), static_cast<unsigned>(n),
                        offset);
  };
  transfer_all(ring, size, shape, prepare);
  if (fsync(file.get()) != 0) throw_errno("fsync " + path);
  if (fsync(folder.get()) != 0) throw_errno("fsync of the folder of " + path);
  return seconds_since(begin);
}

}  // namespace

double write_direct(const std::string& path, std::span<const std::byte> bytes,
                    const DirectIoShape& shape) {
  return write_whole(path, bytes.size(), shape, [&](std::uint64_t offset, std::size_t, unsigned) {
    return bytes.data() + offset;
  });
}

double write_direct_through(const std::string& path, std::span<const std::byte> bytes,
                            const DirectIoShape& shape, const Take& take) {
  const auto begin = Clock::now();
  const Memory slots(shape.block_bytes * shape.depth);
  const double made = seconds_since(begin);
  const auto source = [&](std::uint64_t offset, std::size_t n, unsigned number) {
    const std::span<std::byte> slot = slots.bytes().subspan(number * shape.block_bytes, n);
    take(bytes.subspan(offset, n), slot);
    return slot.data();
  };
  return made + write_whole(path, bytes.size(), shape, source);
}

}  // namespace ingot::bench
