#include "cuda/stream_queue.h"

#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "cuda/device_guard.h"
#include "cuda/error.h"

namespace ingot::gpu {
namespace {

// Whether `rows` rows, `pitch` apart, end where numbers still reach.
bool fits(const std::byte* base, std::uint64_t pitch, const Copy& copy) {
  std::uint64_t offset = 0;
  std::uint64_t end = std::uint64_t{reinterpret_cast<std::uintptr_t>(base)};
  return checked_mul(copy.rows - 1, pitch, &offset) && checked_add(offset, copy.width, &offset) &&
         checked_add(end, offset, &end);
}

// REQUIRES: the copy is not empty.
Status check_copy(const Copy& copy) {
  if (copy.destination == nullptr || copy.source == nullptr) {
    return make_error(Code::kInvalidArgument, "a copy without a destination or a source")
        .found(human_bytes(copy.width) + " a row");
  }
  if (copy.rows > 1 && copy.destination_pitch < copy.width) {
    return make_error(Code::kInvalidArgument, "rows of a copy's destination overlap")
        .expected("a pitch of at least " + std::to_string(copy.width))
        .found(copy.destination_pitch);
  }
  const bool one = copy.rows == 1;
  if (!fits(copy.destination, one ? 0 : copy.destination_pitch, copy) ||
      !fits(copy.source, one ? 0 : copy.source_pitch, copy)) {
    return make_error(Code::kInvalidArgument, "a copy larger than memory can be")
        .found(std::to_string(copy.rows) + " rows");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<StreamQueue>> StreamQueue::open(int ordinal, std::uint64_t largest_pitch) {
  DeviceGuard guard(ordinal);
  INGOT_RETURN_IF_ERROR(guard.status());
  INGOT_ASSIGN_OR_RETURN(Stream stream, Stream::create(ordinal));
  return std::unique_ptr<StreamQueue>(new StreamQueue(ordinal, largest_pitch, std::move(stream)));
}

StreamQueue::~StreamQueue() { static_cast<void>(drain()); }

Status StreamQueue::copy(const Copy& copy) {
  INGOT_RETURN_IF_ERROR(failed_);
  if (copy.width == 0 || copy.rows == 0) return {};
  INGOT_RETURN_IF_ERROR(check_copy(copy));
  DeviceGuard guard(ordinal_);
  INGOT_RETURN_IF_ERROR(remember(guard.status()));
  return remember(copy_rows(copy));
}

Status StreamQueue::copy_rows(const Copy& copy) {
  const cudaMemcpyKind kind =
      copy.direction == CopyDirection::kToDevice ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost;
  const bool two_dimensional = copy.rows > 1 && copy.source_pitch >= copy.width &&
                               copy.source_pitch <= largest_pitch_ &&
                               copy.destination_pitch <= largest_pitch_;
  if (two_dimensional) {
    return check(cudaMemcpy2DAsync(copy.destination, copy.destination_pitch, copy.source,
                                   copy.source_pitch, copy.width, copy.rows, kind, stream_.get()),
                 "cudaMemcpy2DAsync", ordinal_);
  }
  for (std::uint64_t row = 0; row < copy.rows; ++row) {
    INGOT_RETURN_IF_ERROR(check(
        cudaMemcpyAsync(copy.destination + row * copy.destination_pitch,
                        copy.source + row * copy.source_pitch, copy.width, kind, stream_.get()),
        "cudaMemcpyAsync", ordinal_));
  }
  return {};
}

Result<Fence> StreamQueue::record() {
  INGOT_RETURN_IF_ERROR(failed_);
  DeviceGuard guard(ordinal_);
  INGOT_RETURN_IF_ERROR(remember(guard.status()));
  Result<Event> event = take_event();
  INGOT_RETURN_IF_ERROR(remember(event.status()));
  INGOT_RETURN_IF_ERROR(remember(event->record(stream_.get())));
  pending_.push_back(*std::move(event));
  return Fence{reached_ + pending_.size()};
}

Result<bool> StreamQueue::query(Fence fence) {
  INGOT_RETURN_IF_ERROR(failed_);
  if (fence.number <= reached_) return true;
  INGOT_ASSIGN_OR_RETURN(const Event* event, event_of(fence));
  const Result<bool> done = event->reached();
  INGOT_RETURN_IF_ERROR(remember(done.status()));
  if (*done) reached(fence);
  return *done;
}

Status StreamQueue::wait(Fence fence) {
  INGOT_RETURN_IF_ERROR(failed_);
  if (fence.number <= reached_) return {};
  INGOT_ASSIGN_OR_RETURN(const Event* event, event_of(fence));
  INGOT_RETURN_IF_ERROR(remember(event->wait()));
  reached(fence);
  return {};
}

Status StreamQueue::drain() {
  // Without the device being current the stream can still be waited for.
  const DeviceGuard guard(ordinal_);
  const Status settled = stream_.settle();
  if (settled.ok()) reached({reached_ + pending_.size()});
  return remember(settled);
}

Status StreamQueue::start_after(StreamHandle stream) {
  INGOT_RETURN_IF_ERROR(failed_);
  DeviceGuard guard(ordinal_);
  INGOT_RETURN_IF_ERROR(guard.status());
  // Not remembered: what the queue has been given is unharmed when the caller's stream is a wrong
  // one.
  INGOT_ASSIGN_OR_RETURN(Event event, take_event());
  const Status recorded = event.record(stream);
  Status held = recorded.ok() ? event.hold(stream_.get()) : recorded;
  pool_.push_back(std::move(event));
  return held;
}

Status StreamQueue::hold_stream(StreamHandle stream, Fence fence) {
  INGOT_RETURN_IF_ERROR(failed_);
  if (fence.number <= reached_) return {};
  INGOT_ASSIGN_OR_RETURN(const Event* event, event_of(fence));
  DeviceGuard guard(ordinal_);
  INGOT_RETURN_IF_ERROR(guard.status());
  return event->hold(stream);
}

Result<Event> StreamQueue::take_event() {
  if (pool_.empty()) return Event::create(ordinal_);
  Event event = std::move(pool_.back());
  pool_.pop_back();
  return event;
}

Result<const Event*> StreamQueue::event_of(Fence fence) const {
  const std::uint64_t index = fence.number - reached_ - 1;
  if (index < pending_.size()) return &pending_[index];
  return make_error(Code::kInvalidArgument, "a fence that this queue has not recorded")
      .expected("at most " + std::to_string(reached_ + pending_.size()))
      .found(fence.number);
}

void StreamQueue::reached(Fence fence) {
  for (; reached_ < fence.number; ++reached_) {
    pool_.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
}

Status StreamQueue::remember(Status status) {
  if (failed_.ok()) failed_ = std::move(status);
  return failed_;
}

}  // namespace ingot::gpu
