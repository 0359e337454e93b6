// A CopyQueue on a stream of its own. A fence is an event, taken from a pool and put back when it
// has been reached.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "ingot/cuda.h"
#include "ingot/status.h"

#include "cuda/handles.h"

namespace ingot::gpu {

class StreamQueue final : public CudaQueue {
 public:
  // `largest_pitch`: what the device copies in two dimensions; wider rows are copied one by one.
  static Result<std::unique_ptr<StreamQueue>> open(int ordinal, std::uint64_t largest_pitch);
  ~StreamQueue() override;

  Status copy(const Copy& copy) override;
  Result<Fence> record() override;
  Result<bool> query(Fence fence) override;
  Status wait(Fence fence) override;
  Status drain() override;
  Status start_after(StreamHandle stream) override;
  Status hold_stream(StreamHandle stream, Fence fence) override;

  // What is given from now on begins after the event, as of its last record().
  Status start_after(const Event& event) { return event.hold(stream_.get()); }

 private:
  StreamQueue(int ordinal, std::uint64_t largest_pitch, Stream stream)
      : ordinal_(ordinal), largest_pitch_(largest_pitch), stream_(std::move(stream)) {}

  Status copy_rows(const Copy& copy);
  // An event from the pool, or a new one.
  Result<Event> take_event();
  Result<const Event*> event_of(Fence fence) const;
  void reached(Fence fence);
  // Remembers the first failure: every later call but drain() repeats it.
  Status remember(Status status);

  int ordinal_;
  std::uint64_t largest_pitch_;
  Stream stream_;
  std::vector<Event> pool_;
  std::deque<Event> pending_;  // of fences reached_ + 1, reached_ + 2, ...
  std::uint64_t reached_ = 0;  // the last fence known to be reached
  Status failed_;
};

}  // namespace ingot::gpu
