// The CUDA runtime functions that Ingot uses, without a GPU: linked in place of libcudart. As
// unhelpful as the CUDA documentation allows.
//
// * What a stream was given happens as late as it may: when somebody waits for it. If asked, at
//   once; or at once on every other stream, so that streams overtake each other; or at moments that
//   follow from a seed.
// * Page-locked memory is read and written at that moment; pageable memory is read in the call.
// * Device memory is at addresses that the processor cannot touch.
// * Any call can be made to fail, once or for good (an error that ends the context).
// * Misuse is noted: work that names memory that was freed, unregistered or registered anew;
//   kernels and events on a stream of another device; copies across the end of a registration.
//
// One object, because the functions are global. Any number of threads; one test at a time.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cuda/digest_steps.h"

namespace ingot::gpu::testing {

enum class When { kLate, kAtOnce, kEveryOtherStream, kSeeded };

struct FakeOptions {
  When when = When::kLate;
  std::uint64_t seed = 0;
  int devices = 2;
  std::uint64_t device_bytes = std::uint64_t{1} << 30;
  std::uint64_t largest_pitch = std::uint64_t{1} << 20;
  int unready_queries = 2;             // so often is an event "not ready" before it is
  bool read_only_registration = true;  // whether cudaHostRegisterReadOnly is supported
  bool cufile = true;                  // whether libcufile is installed
};

struct FakeLive {
  std::size_t streams = 0;
  std::size_t events = 0;
  std::size_t registrations = 0;
  std::size_t allocations = 0;
  friend bool operator==(const FakeLive&, const FakeLive&) = default;
};

struct FakeStream;
struct FakeEvent;
using StreamPointer = std::shared_ptr<FakeStream>;
using EventPointer = std::shared_ptr<FakeEvent>;

// Memory that exists from one call to another. Its id is never used again.
struct FakeMemory {
  std::uint64_t id = 0;
  int device = 0;  // of an allocation
  std::byte* begin = nullptr;
  std::uint64_t bytes = 0;
  unsigned int flags = 0;         // of a registration
  std::vector<std::byte> shadow;  // the bytes of an allocation
};

struct FakeWork {
  std::function<void()> run;
  std::vector<std::uint64_t> memory;  // ids that must exist until it ran
};

struct FakeStream {
  int device = 0;
  bool at_once = false;
  std::deque<FakeWork> work = {};
};

struct FakeEvent {
  int device = 0;
  std::uint64_t recorded = 0;  // calls of cudaEventRecord
  std::uint64_t reached = 0;   // of those, what the stream has come to
  StreamPointer stream;        // of the last of them
  int unready = 0;
};

// One side of a copy, as it was when the copy was given.
struct FakeSide {
  std::byte* at = nullptr;
  std::uint64_t pitch = 0;
};

struct FakeCopy {
  FakeSide destination;
  FakeSide source;
  std::uint64_t width = 0;
  std::uint64_t rows = 1;
  cudaMemcpyKind kind = cudaMemcpyHostToDevice;
};

class FakeRuntime {
 public:
  static FakeRuntime& get();

  // Forgets everything, the current thread's device and last error included.
  void reset(const FakeOptions& options = {});

  // The n-th call from now (1 is the next) fails, and does nothing. kOnce: the next one works
  // again.
  enum class Lasting { kOnce, kForever };
  void fail_call(std::uint64_t n, cudaError_t error, Lasting lasting = Lasting::kOnce);
  std::uint64_t calls() const { return calls_; }
  // How often a function was called.
  std::uint64_t calls_of(const std::string& name) { return calls_of_[name]; }

  FakeLive live() const;
  const std::vector<std::string>& violations() const { return violations_; }
  // What the next cudaGetLastError() would return on this thread.
  cudaError_t last_error() const;

  // From here on: for the functions themselves. All under `mutex`.
  std::recursive_mutex mutex;
  FakeOptions options;
  int cufile_handles = 0;  // registered
  std::set<int> contexts;  // devices that have one

  // At the head of a call: what it must return instead of working, or cudaSuccess.
  cudaError_t enter(const char* name);
  static int& current_device();  // of the calling thread
  cudaError_t set_last(cudaError_t error);
  cudaError_t take_last();
  cudaError_t violate(const std::string& text, cudaError_t error);

  cudaError_t allocate(void** pointer, std::uint64_t bytes);
  cudaError_t free(void* pointer);
  cudaError_t enlist(void* pointer, std::uint64_t bytes, unsigned int flags);
  cudaError_t delist(void* pointer);
  FakeMemory* allocation_at(const void* pointer, std::uint64_t bytes);
  FakeMemory* registration_at(const void* pointer, std::uint64_t bytes);
  // Where the bytes of device memory are kept; null, and an ended context, when they do not exist.
  std::byte* shadow(const void* pointer, std::uint64_t bytes);
  std::uint64_t used(int device) const;

  StreamPointer stream(cudaStream_t handle);  // null: not one
  EventPointer event(cudaEvent_t handle);
  cudaStream_t add_stream();
  cudaEvent_t add_event();
  void remove_stream(cudaStream_t handle);
  void remove_event(cudaEvent_t handle);

  cudaError_t copy(const FakeCopy& copy, cudaStream_t handle);
  void give(const StreamPointer& stream, FakeWork work);
  void run_all(FakeStream& stream);
  void run_until(const FakeEvent& event, std::uint64_t number, const StreamPointer& stream);
  void run_device(int device);
  cudaError_t broken() const { return broken_; }
  void end_context(cudaError_t error);

 private:
  StreamPointer make_stream();
  void forget_work();
  void run_next(FakeStream& stream);
  void run_some();
  void perform(const FakeCopy& copy);
  cudaError_t check_host_side(const FakeSide& side, const FakeCopy& copy, FakeMemory** found);
  bool in_use(std::uint64_t id) const;
  bool exists(std::uint64_t id) const;

  std::uint64_t calls_ = 0;
  std::map<std::string, std::uint64_t> calls_of_;
  std::uint64_t fail_at_ = 0;
  cudaError_t failure_ = cudaSuccess;
  Lasting lasting_ = Lasting::kOnce;
  cudaError_t broken_ = cudaSuccess;
  std::mt19937_64 random_;
  std::uint64_t last_id_ = 0;
  std::uint64_t streams_made_ = 0;
  std::vector<std::string> violations_;
  std::vector<std::unique_ptr<FakeMemory>> allocations_;
  std::vector<std::unique_ptr<FakeMemory>> registrations_;
  std::map<cudaStream_t, StreamPointer> streams_;
  std::map<int, StreamPointer> default_streams_;
  std::vector<StreamPointer> orphans_;  // destroyed before their work was done
  std::map<cudaEvent_t, EventPointer> events_;
};

}  // namespace ingot::gpu::testing
