// Streams and events that are destroyed with their owner.
//
// Made on the device that is current, which the handle remembers for error messages; they may be
// destroyed whatever is current. Destroying one does not wait for work that was given to it.
#pragma once

#include <cuda_runtime_api.h>

#include <utility>

#include "ingot/status.h"

namespace ingot::gpu {

// A stream that does not take part in the legacy default stream's ordering.
class Stream {
 public:
  static Result<Stream> create(int ordinal);
  Stream(Stream&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), ordinal_(other.ordinal_) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(ordinal_, other.ordinal_);
    return *this;
  }
  ~Stream();

  cudaStream_t get() const { return handle_; }

  // Blocks until nothing that was given to the stream is in flight, also when it fails: then the
  // whole device is waited for.
  Status settle() const;

 private:
  Stream(cudaStream_t handle, int ordinal) : handle_(handle), ordinal_(ordinal) {}

  cudaStream_t handle_;
  int ordinal_;
};

// An event without timing; who waits for it sleeps.
class Event {
 public:
  static Result<Event> create(int ordinal);
  Event(Event&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), ordinal_(other.ordinal_) {}
  Event& operator=(Event&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(ordinal_, other.ordinal_);
    return *this;
  }
  ~Event();

  cudaEvent_t get() const { return handle_; }

  // Behind all that the stream has been given so far.
  Status record(cudaStream_t stream) const;
  Status wait() const;
  Result<bool> reached() const;
  // Holds `stream` back until it is reached, as of its last record().
  Status hold(cudaStream_t stream) const;

 private:
  Event(cudaEvent_t handle, int ordinal) : handle_(handle), ordinal_(ordinal) {}

  cudaEvent_t handle_;
  int ordinal_;
};

}  // namespace ingot::gpu
