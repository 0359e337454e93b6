#include "tools/bench/ceilings.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "io/aligned_buffer.h"
#include "io/file_system.h"
#include "io/queue.h"

namespace ingot::tools {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
// Enough to be out of every cache; more only takes longer.
constexpr std::uint64_t kMaxCopyBytes = 512 * kMiB;
constexpr std::uint64_t kCopyPart = 4 * kMiB;
constexpr std::uint64_t kPinnedBytes = 32 * kMiB;
constexpr std::uint64_t kReadBlock = 4 * kMiB;
constexpr std::uint32_t kReadDepth = 16;

using Clock = std::chrono::steady_clock;
double rate(std::uint64_t bytes, Clock::time_point begin) {
  return static_cast<double>(bytes) / std::chrono::duration<double>(Clock::now() - begin).count();
}

class CopyCeiling final : public Ceiling {
 public:
  CopyCeiling(io::AlignedBuffer from, io::AlignedBuffer to, int threads)
      : from_(std::move(from)), to_(std::move(to)), threads_(threads) {}
  std::string name() const override { return fmt::format("memcpy, {} threads", threads_); }

  Result<double> measure() override {
    const auto begin = Clock::now();
    std::atomic<std::uint64_t> next{0};
    const auto work = [&] {
      for (std::uint64_t at; (at = next.fetch_add(kCopyPart)) < from_.size();) {
        const std::uint64_t bytes = std::min(kCopyPart, from_.size() - at);
        std::memcpy(to_.data() + at, from_.data() + at, static_cast<std::size_t>(bytes));
      }
    };
    std::vector<std::jthread> threads;
    for (int i = 1; i < threads_; ++i) threads.emplace_back(work);
    work();
    threads.clear();
    return rate(from_.size(), begin);
  }

 private:
  io::AlignedBuffer from_;
  io::AlignedBuffer to_;
  const int threads_;
};

class DeviceCeiling final : public Ceiling {
 public:
  DeviceCeiling(std::unique_ptr<StagingBuffer> from, std::unique_ptr<DeviceBuffer> to,
                std::unique_ptr<CopyQueue> queue, std::uint64_t bytes)
      : from_(std::move(from)), to_(std::move(to)), queue_(std::move(queue)), bytes_(bytes) {}
  std::string name() const override { return "copy from pinned memory"; }

  Result<double> measure() override {
    const auto begin = Clock::now();
    const std::uint64_t part = from_->bytes().size();
    for (std::uint64_t at = 0; at < bytes_; at += part) {
      Copy copy;
      copy.destination = to_->span().data;
      copy.source = from_->bytes().data();
      copy.width = std::min(part, bytes_ - at);
      INGOT_RETURN_IF_ERROR(queue_->copy(copy));
    }
    INGOT_RETURN_IF_ERROR(queue_->drain());
    return rate(bytes_, begin);
  }

 private:
  std::unique_ptr<StagingBuffer> from_;
  std::unique_ptr<DeviceBuffer> to_;
  std::unique_ptr<CopyQueue> queue_;
  const std::uint64_t bytes_;
};

class StorageCeiling final : public Ceiling {
 public:
  StorageCeiling(std::unique_ptr<io::File> file, io::AlignedBuffer memory, std::uint64_t bytes)
      : file_(std::move(file)), memory_(std::move(memory)), bytes_(bytes) {}
  std::string name() const override {
    return fmt::format("O_DIRECT reads of {} MiB, {} in flight", kReadBlock / kMiB, kReadDepth);
  }

  Result<double> measure() override {
    io::QueueOptions options;
    options.depth = kReadDepth;
    options.has_descriptors = true;
    INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<io::Queue> queue, io::open_queue(options));
    const auto begin = Clock::now();
    std::uint64_t next = 0;
    const auto submit = [&](std::uint64_t slot) -> Status {
      io::Transfer read;
      read.file = file_.get();
      read.offset = next;
      read.bytes = std::min(kReadBlock, bytes_ - next);
      read.memory = memory_.data() + slot * kReadBlock;
      read.token = slot;
      next += read.bytes;
      return queue->submit(read);
    };
    for (std::uint64_t slot = 0; slot < kReadDepth && next < bytes_; ++slot) {
      INGOT_RETURN_IF_ERROR(submit(slot));
    }
    while (queue->in_flight() > 0) {
      INGOT_ASSIGN_OR_RETURN(const io::Completion completion, queue->wait());
      INGOT_RETURN_IF_ERROR(completion.status);
      if (next < bytes_) INGOT_RETURN_IF_ERROR(submit(completion.token));
    }
    return rate(bytes_, begin);
  }

 private:
  std::unique_ptr<io::File> file_;
  io::AlignedBuffer memory_;
  const std::uint64_t bytes_;
};

}  // namespace

Result<std::unique_ptr<Ceiling>> copy_ceiling(std::uint64_t bytes, int threads) {
  const std::uint64_t size = std::clamp(bytes, kCopyPart, kMaxCopyBytes);
  INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer from, io::AlignedBuffer::allocate(size));
  INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer to, io::AlignedBuffer::allocate(size));
  // Pages that nobody wrote to are one page of zeros, and would be read from the cache.
  std::memset(from.data(), 1, from.size());
  std::memset(to.data(), 1, to.size());
  return {std::make_unique<CopyCeiling>(std::move(from), std::move(to), threads)};
}

Result<std::unique_ptr<Ceiling>> device_ceiling(Device& device, std::uint64_t bytes) {
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<StagingBuffer> from,
                         device.allocate_staging(kPinnedBytes));
  std::memset(from->bytes().data(), 1, from->bytes().size());
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<DeviceBuffer> to, device.allocate(kPinnedBytes));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<CopyQueue> queue, device.open_queue());
  return {std::make_unique<DeviceCeiling>(std::move(from), std::move(to), std::move(queue),
                                          std::max(bytes, kPinnedBytes))};
}

Result<std::unique_ptr<Ceiling>> storage_ceiling(const std::string& path) {
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<io::File> file,
                         io::posix().open(path, io::Access::kRead));
  INGOT_ASSIGN_OR_RETURN(const io::FileStat stat, file->stat());
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<io::File> direct, file->reopen_direct());
  INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer memory,
                         io::AlignedBuffer::allocate(kReadBlock * kReadDepth));
  return {std::make_unique<StorageCeiling>(std::move(direct), std::move(memory), stat.bytes)};
}

}  // namespace ingot::tools
