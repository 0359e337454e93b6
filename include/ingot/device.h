// Device and CopyQueue: where streamed bytes go, and what carries them there.
//
// The core ships the host. ingot::cuda brings the GPU (ingot/cuda.h), and a program may bring its
// own: derive from both classes (no function of theirs is virtual and defined elsewhere, so that
// programs with and without RTTI can). Nothing here allocates or frees what a tensor ends up in
// unless asked: destinations belong to the caller.
//
// Threads: a Device may be used from any number of threads at once. A CopyQueue belongs to one
// thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ingot/digest.h"
#include "ingot/status.h"

namespace ingot {

enum class DeviceKind : std::uint8_t { kHost, kCuda, kOther };
std::string_view device_kind_name(DeviceKind kind);

// A range of a device's memory. The address means something to that device alone, unless
// Device::host_accessible(). Owned by whoever allocated it.
struct DeviceSpan {
  std::byte* data = nullptr;
  std::uint64_t bytes = 0;
};

// Host memory that a device copies from or to while the processor does other things: page-locked
// on a GPU. Aligned to at least 4096 bytes. Freed on destruction, which REQUIRES that no copy that
// names it is in flight.
class StagingBuffer {
 public:
  virtual ~StagingBuffer() = default;
  virtual std::span<std::byte> bytes() const = 0;
};

// Memory of a device. Freed on destruction.
class DeviceBuffer {
 public:
  virtual ~DeviceBuffer() = default;
  virtual DeviceSpan span() const = 0;
};

// Host memory that belongs to somebody else (a mapped file) and that the device may copy from
// directly until this is destroyed. The memory must outlive it.
class HostRegistration {
 public:
  virtual ~HostRegistration() = default;
};

// A file that a device reads into its own memory itself, past the host's (GPUDirect Storage). Any
// number of threads.
class DeviceFile {
 public:
  virtual ~DeviceFile() = default;
  // Blocks until bytes [offset, offset + destination.bytes) of the file are at the destination.
  // Errors: kIoError; kTruncated where the file ends before; kDeviceError.
  virtual Status read(std::uint64_t offset, const DeviceSpan& destination) = 0;
};

// A point in the order of one queue's copies. Means nothing to any other queue.
struct Fence {
  std::uint64_t number = 0;  // 0 has always been reached
};

enum class CopyDirection : std::uint8_t { kToDevice, kFromDevice };

// `rows` runs of `width` bytes; their starts are `pitch` bytes apart on either side. Rows of a
// destination do not overlap.
struct Copy {
  std::byte* destination = nullptr;
  const std::byte* source = nullptr;
  std::uint64_t width = 0;
  std::uint64_t rows = 1;
  std::uint64_t destination_pitch = 0;  // of no meaning for one row; else at least `width`
  std::uint64_t source_pitch = 0;
  CopyDirection direction = CopyDirection::kToDevice;
};

// Copies of one queue complete in the order in which they were given. The host side of a copy must
// stay valid, and the side it reads from unchanged, until a fence that was recorded after it has
// been reached. Any call may report the failure of an earlier copy; after a failure the only call
// that makes sense is drain().
class CopyQueue {
 public:
  // Waits for all copies in flight.
  virtual ~CopyQueue() = default;

  // Starts a copy; does not wait for it. Errors: kDeviceError, kInvalidArgument.
  virtual Status copy(const Copy& copy) = 0;
  // A fence behind all that was given so far.
  virtual Result<Fence> record() = 0;
  // Whether it has been reached. Does not block.
  virtual Result<bool> query(Fence fence) = 0;
  // Blocks until it has been reached.
  virtual Status wait(Fence fence) = 0;
  // Blocks until no copy is in flight, whatever happened to them: after it, also after an error,
  // staging buffers may be reused and freed. OK when no copy has failed.
  virtual Status drain() = 0;
};

// Everything that a device hands out must be destroyed before the device is.
class Device {
 public:
  virtual ~Device() = default;

  virtual DeviceKind kind() const = 0;
  virtual int ordinal() const { return 0; }
  // For people: "host", "cuda:0 (NVIDIA H200, 139.8 GiB)".
  virtual std::string description() const = 0;

  // Whether the processor may write to destinations itself, at once: bytes are then read straight
  // into them where that saves a copy.
  virtual bool host_accessible() const { return false; }

  // kResourceExhausted says how much was asked for.
  virtual Result<std::unique_ptr<StagingBuffer>> allocate_staging(std::uint64_t bytes) = 0;
  // Aligned to at least 256 bytes (LoadPlan::kSlabAlignment), so that it can be a slab.
  virtual Result<std::unique_ptr<DeviceBuffer>> allocate(std::uint64_t bytes) = 0;
  virtual Result<std::unique_ptr<CopyQueue>> open_queue() = 0;

  // Whether the range is memory of this device, as far as the device can tell. kInvalidArgument
  // says what it is instead.
  virtual Status check_destination(const DeviceSpan& span) = 0;

  // kUnsupported, with the reason, where the device cannot copy from foreign memory.
  virtual Result<std::unique_ptr<HostRegistration>> register_host(std::span<const std::byte>) {
    return cannot("copy from foreign memory");
  }

  // `descriptor` is open for reading past the page cache (O_DIRECT), and must stay open until what
  // is returned is destroyed. kUnsupported, with the reason, where the device does not read files.
  virtual Result<std::unique_ptr<DeviceFile>> open_file(int /*descriptor*/) {
    return cannot("read files itself");
  }

  // XXH3-128 of each range of this device's memory, after all that was waited for. Blocks.
  // REQUIRES: ranges.size() == digests.size(). kUnsupported where the device cannot hash.
  virtual Status digest(std::span<const DeviceSpan> /*ranges*/, std::span<Digest128> /*digests*/) {
    return cannot("hash its memory");
  }

 protected:
  // kUnsupported: "<description> cannot <what>".
  Status cannot(std::string_view what) const;
};

// When a host device makes its copies.
enum class HostCopies : std::uint8_t {
  kEager,     // in copy(): what programs want
  kDeferred,  // as late as the contract allows, when a fence is waited for: shows a staging slot
              // that is reused too early, on a machine without a GPU
  kThreaded,  // on a thread of each queue, with delays that follow from `seed`
};

struct HostDeviceOptions {
  HostCopies copies = HostCopies::kEager;
  // kEager: as if the processor could not write to destinations, so that everything passes through
  // staging memory. The others always are so.
  bool through_staging = false;
  std::uint64_t seed = 0;  // kThreaded
};

// Destinations in the host's own memory.
std::unique_ptr<Device> make_host_device(const HostDeviceOptions& options = {});

// The eager one. Has no state; lives as long as the program.
Device& host_device();

}  // namespace ingot
