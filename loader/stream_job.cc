#include "loader/stream_job.h"

#include <algorithm>

#include "base/error.h"

namespace ingot::loader {

const Transfer* StreamJob::take() {
  const std::span<const Transfer> transfers = setup.transfers.transfers();
  const std::uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
  if (number >= transfers.size() || !wants(transfers[number])) return nullptr;
  return &transfers[number];
}

void StreamJob::fail_read(const Stretch& range, const Status& cause) {
  const bool truncated = cause.code() == Code::kTruncated;
  fail_range(
      range.begin, range.end, truncated ? Code::kIoError : cause.code(),
      truncated ? "the file was truncated while it was open: no bytes" : "bytes could not be read",
      cause);
}

void StreamJob::fail_copy(std::uint64_t begin, std::uint64_t end, const Status& cause) {
  fail_range(begin, end, cause.code(), "bytes could not be copied", cause);
}

void StreamJob::fail_digest(std::uint64_t begin, std::uint64_t end, const Status& cause) {
  fail_range(begin, end, cause.code(), "bytes could not be proven in the memory of the device",
             cause);
}

void StreamJob::fail_range(std::uint64_t begin, std::uint64_t end, Code code, std::string_view what,
                           const Status& cause) {
  const auto storage = state.index.storage_at(begin);
  ErrorBuilder error = make_error(code, what);
  error.file(state.path()).at(Region::kData, begin, end).os_error(cause.os_error());
  if (storage) error.tensor(state.index.owner_of_storage(*storage));
  if (cause.os_error() == 0) error.advice(cause.message());
  errors.add(begin, error.status());
}

Status StreamJob::of_the_whole(const Status& cause) const {
  const std::span<const Transfer> transfers = setup.transfers.transfers();
  if (transfers.empty() || cause.location().end > cause.location().begin) return cause;
  const std::uint64_t begin = transfers.front().begin;
  ErrorBuilder error = make_error(cause.code(), "the load cannot go on");
  error.file(state.path()).at(Region::kData, begin, transfers.back().end);
  if (const auto storage = state.index.storage_at(begin)) {
    error.tensor(state.index.owner_of_storage(*storage));
  }
  return error.os_error(cause.os_error()).advice(cause.message());
}

void StreamJob::fail(const Status& cause) {
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = of_the_whole(cause);
  failed_.store(true, std::memory_order_relaxed);
}

void StreamJob::refuse(const Status& cause) {
  const std::lock_guard lock(mutex_);
  if (refusal_.ok()) refusal_ = of_the_whole(cause);
}

void StreamJob::finished(const Transfer& transfer) {
  if (options.progress.function == nullptr) return;
  const std::lock_guard lock(mutex_);
  done_bytes_ += transfer.bytes();
  options.progress(done_bytes_, setup.transfers.bytes_read());
}

void StreamJob::add(const StreamReport& part) {
  const std::lock_guard lock(mutex_);
  report_.bytes += part.bytes;
  report_.bytes_read += part.bytes_read;
  report_.bytes_verified += part.bytes_verified;
  report_.transfers += part.transfers;
  report_.copies += part.copies;
  report_.stages.read += part.stages.read;
  report_.stages.verify += part.stages.verify;
  report_.stages.copy += part.stages.copy;
  report_.peak_staging_bytes += part.peak_staging_bytes;
}

Result<StreamReport> StreamJob::result(int threads) {
  VerifyReport found;
  errors.finish(&found);
  if (!found.errors.empty()) return found.errors.front();
  if (!failure_.ok()) return failure_;
  if (cancelled()) {
    return make_error(Code::kCancelled, "the load was cancelled").file(state.path());
  }
  if (report_.transfers != setup.transfers.transfers().size()) {
    if (!refusal_.ok()) return refusal_;
    return make_error(Code::kInternal, "a load ended before all of it was there")
        .file(state.path())
        .expected(setup.transfers.transfers().size())
        .found(report_.transfers);
  }
  report_.transport = setup.transport;
  report_.reason = setup.reason;
  report_.threads = threads;
  report_.verify = options.verify;
  report_.slot_bytes = setup.uses_slots ? setup.slot_bytes : 0;
  return report_;
}

}  // namespace ingot::loader
