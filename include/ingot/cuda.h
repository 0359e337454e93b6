// NVIDIA GPUs as devices (target ingot::cuda). No CUDA header is needed to include this one.
//
//   INGOT_ASSIGN_OR_RETURN(auto gpu, ingot::gpu::open_device({.ordinal = 0}));
//   INGOT_ASSIGN_OR_RETURN(auto slab, gpu->allocate(bytes));
//
// Destinations are any memory of the GPU: what allocate() gives, or the caller's own (an allocator
// of a framework's). Copies run on streams of their own, which know nothing of the caller's: say
// how the two relate with start_after() and hold_stream().
//
// Every call leaves the thread's current CUDA device as it was, unless that device has no context
// yet: the thread then stays with the GPU that the call was for. (The runtime creates a context on
// a device that is made current, also when it is made so again; a process that uses GPU 3 gets none
// on GPU 0 from here.) Nothing is kept in static objects: whatever comes from here must be
// destroyed before main() returns.
#pragma once

#include <cstdint>
#include <memory>

#include "ingot/device.h"
#include "ingot/status.h"

struct CUstream_st;

namespace ingot::gpu {

// A cudaStream_t. Null is the legacy default stream of the device in question.
using StreamHandle = ::CUstream_st*;

struct CudaOptions {
  int ordinal = 0;
  // Memory of the GPU in which digest() keeps what it computes on the way, allocated when it is
  // first called; up to 4 MiB come on top. A sixteenth of what one launch can take.
  std::uint64_t digest_scratch_bytes = std::uint64_t{32} << 20;
};

// A queue that runs on a stream of its own.
class CudaQueue : public CopyQueue {
 public:
  // Copies that are given from now on begin after all that `stream` has been given up to now: it
  // may still be using the destination. Does not block. Errors: kDeviceError, for instance when
  // `stream` belongs to another GPU.
  virtual Status start_after(StreamHandle stream) = 0;

  // What `stream` is given from now on begins after `fence` has been reached. Does not block; the
  // bytes may be used on `stream`, without the host waiting for them. Should the copies fail, the
  // stream goes on nevertheless: wait() or drain() says so.
  virtual Status hold_stream(StreamHandle stream, Fence fence) = 0;
};

// One GPU. Threads: as Device says.
class CudaDevice : public Device {
 public:
  // Queues that are opened from now on, and digest(), begin after all that `stream` has been given
  // up to now. Does not block.
  virtual Status start_after(StreamHandle stream) = 0;

  // open_queue(), by its own type.
  virtual Result<std::unique_ptr<CudaQueue>> open_cuda_queue() = 0;
};

// GPUs that this process can use; 0 where there is none or no driver. Errors: kDeviceError.
Result<int> device_count();

// Creates the GPU's context where the process has none yet, which takes a while.
// Errors: kUnsupported when there is no GPU or driver, kInvalidArgument when there is no such GPU,
// kDeviceError.
//
// On this device
// * staging buffers are page-locked, which takes time: allocate few, large ones, and keep them;
// * copy() from or to memory that is not page-locked may block until it is done;
// * wait() and drain() sleep rather than spin;
// * register_host() page-locks for reading; where system or GPU do not allow it for that memory, it
//   returns kUnsupported with the reason;
// * open_file() loads libcufile where it is installed, and waits for the stream that start_after()
//   was last given; where cuFile's own driver is not loaded, cuFile copies through host memory of
//   its own, if its configuration allows;
// * check_destination() asks the driver whose memory the first and the last byte are;
// * digest() is fastest for many ranges that are aligned to 16 bytes. Of each range a small part is
//   sequential (one step a KiB), which shows when there are few and very large ones. Several
//   threads take turns. REQUIRES: ranges are memory of this device; nobody writes to them
//   meanwhile;
// * an error that ends the CUDA context (illegal address and the like) is kDeviceError and says so:
//   nothing works then until the process is started anew.
Result<std::unique_ptr<CudaDevice>> open_device(const CudaOptions& options = {});

}  // namespace ingot::gpu
