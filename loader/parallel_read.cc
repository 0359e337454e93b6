#include "loader/parallel_read.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/threads.h"
#include "io/fresh_memory.h"
#include "io/transfer.h"

namespace ingot::loader {
namespace {

// A huge page: two threads in one would both find it missing, and clear one each.
constexpr std::uint64_t kPieceBytes = std::uint64_t{2} << 20;
// Below, starting a thread costs more than it saves.
constexpr std::uint64_t kMinBytesPerThread = std::uint64_t{2} << 20;
constexpr int kMaxThreads = 4;

class ParallelRead {
 public:
  ParallelRead(io::File& file, std::uint64_t offset, MutableBytes destination)
      : file_(file), offset_(offset), destination_(destination) {}

  Status run(int threads) {
    run_on_threads(
        threads, [](void* context, int) { static_cast<ParallelRead*>(context)->work(); }, this);
    return error_;
  }

 private:
  void work() {
    for (;;) {
      const std::uint64_t begin = next_.fetch_add(kPieceBytes, std::memory_order_relaxed);
      if (begin >= destination_.size()) return;
      const std::uint64_t bytes = std::min(kPieceBytes, destination_.size() - begin);
      const MutableBytes piece =
          destination_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(bytes));
      io::bring_in(piece);
      const Status status = io::read_exact(file_, offset_ + begin, piece);
      if (!status.ok()) return fail(begin, status);
    }
  }

  // Pieces are taken in order: those before the first failing one are read all the same.
  void fail(std::uint64_t begin, const Status& status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (begin < error_begin_) {
      error_begin_ = begin;
      error_ = status;
    }
    next_.store(destination_.size(), std::memory_order_relaxed);
  }

  io::File& file_;
  const std::uint64_t offset_;
  const MutableBytes destination_;
  std::atomic<std::uint64_t> next_{0};
  std::mutex mutex_;  // guards what follows
  std::uint64_t error_begin_ = ~std::uint64_t{0};
  Status error_;
};

Status read_alone(io::File& file, std::uint64_t offset, MutableBytes destination) {
  io::bring_in(destination);
  return io::read_exact(file, offset, destination);
}

}  // namespace

Status parallel_read(io::File& file, std::uint64_t offset, MutableBytes destination) {
  const std::uint64_t useful =
      std::min<std::uint64_t>(destination.size() / kMinBytesPerThread, kMaxThreads);
  if (useful < 2) return read_alone(file, offset, destination);
  const int threads = std::min(static_cast<int>(useful), available_threads());
  if (threads < 2) return read_alone(file, offset, destination);
  return ParallelRead(file, offset, destination).run(threads);
}

}  // namespace ingot::loader
