// Streaming: brings the bytes of a plan to their destinations, proving them on the way.
//
// A few reader threads take ranges of the file in turn, read each into a slot of staging memory
// (pinned, on a GPU), hash it there, and hand it to a copy queue of their own; a slot is used again
// when its copies have arrived. What was hashed is what is copied (of a registered mapping, whose
// pages the device reads after they were hashed, the load checks at its end that the file is as it
// was at the open). Memory is bounded by the budget, whatever the size of the model.
//
// kPageCache and kRegisteredMapping, and with them kAuto for a file that is in memory and a device
// that is not the host, read mapped pages. A file that somebody makes shorter is an error, but for
// the moment between bringing pages in and reading them, and before Linux 5.14: then it is a SIGBUS
// (docs/security.md). kRead and kDirect have no such moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/device.h"
#include "ingot/load_plan.h"
#include "ingot/progress.h"
#include "ingot/status.h"

namespace ingot {

// How bytes come out of the file.
enum class Transport : std::uint8_t {
  kAuto,               // decides from what it can measure; StreamReport::reason says what that was
  kPageCache,          // copied from the mapped pages: for files that are in memory
  kRead,               // read(2)
  kDirect,             // O_DIRECT, many reads in flight (io_uring), past the page cache
  kRegisteredMapping,  // the device copies from the mapped pages itself; one load of a Checkpoint
                       // at a time, because pages are registered once
  kDeviceFile  // the device reads the file itself (Device::open_file): on NVIDIA GPUs cuFile,
               // GPUDirect Storage. Runs of bytes that go to one place do not pass through
               // host memory, so that kTouched becomes kOnDevice; the rest is read(2).
               // Never taken by kAuto
};
std::string_view transport_name(Transport transport);
std::optional<Transport> parse_transport(std::string_view name);

enum class StreamVerify : std::uint8_t {
  kNone,      // nothing is hashed; the report says so
  kTouched,   // every chunk that is touched is hashed where it was read to, before it is copied
  kOnDevice,  // and what arrived is hashed in the device's memory, where the device can; chunks
              // that do not arrive in one piece are hashed as above
};
std::string_view stream_verify_name(StreamVerify verify);

struct StreamOptions {
  Transport transport = Transport::kAuto;
  StreamVerify verify = StreamVerify::kTouched;
  // Bound of all staging memory. kResourceExhausted, with the least that would do, when a chunk of
  // the file does not fit.
  std::uint64_t staging_bytes = std::uint64_t{256} << 20;
  // Reader threads, each with a copy queue; 0: as many as the process may run on. Never more than
  // 64, whatever is asked for: StreamReport::threads says how many there were.
  int threads = 0;
  ProgressCallback progress = {};
  const CancelFlag* cancel = nullptr;
};

// Seconds are summed over threads: of `threads` times StreamReport::seconds.
struct StreamStages {
  double read = 0;    // reading; on kPageCache copying to the slot
  double verify = 0;  // hashing
  double copy = 0;    // giving copies to the device and waiting for slots to come free
};

struct StreamReport {
  std::uint64_t bytes = 0;       // brought to destinations
  std::uint64_t bytes_read = 0;  // of the file; chunks are read as a whole
  std::uint64_t bytes_verified = 0;
  std::uint64_t transfers = 0;
  std::uint64_t copies = 0;
  double seconds = 0;
  StreamStages stages;
  int threads = 0;
  Transport transport = Transport::kAuto;        // what was taken
  std::string reason;                            // and why
  StreamVerify verify = StreamVerify::kTouched;  // what was done
  std::uint64_t peak_staging_bytes = 0;          // a device's own scratch memory is not in it
  std::uint64_t slot_bytes = 0;
};

// Blocks until every byte has arrived. Its threads end before it returns.
//
// On an error nothing is in flight any more, destinations have unspecified content, and there is
// one error: kChecksumMismatch or kIoError with tensor and byte range; kDeviceError; kUnsupported
// when the transport that was asked for cannot be had, with the reason; kResourceExhausted;
// kInvalidArgument for a destination that is not its device's; kCancelled.
//
// The first is for plans of one slab, whose address must be a multiple of LoadPlan::kSlabAlignment
// and which has at least LoadPlan::slab_bytes(); the second for plans with destinations of their
// own.
Result<StreamReport> stream(const LoadPlan& plan, Device& device, const DeviceSpan& slab,
                            const StreamOptions& options = {});
Result<StreamReport> stream(const LoadPlan& plan, const StreamOptions& options = {});

// What stream() would do: for people, and for `ingot inspect --plan`.
struct StreamPreview {
  struct Transfer {
    std::uint64_t begin = 0;  // of the file
    std::uint64_t end = 0;
    std::uint64_t copies = 0;
    std::uint64_t bytes = 0;  // brought to destinations
  };
  std::vector<Transfer> transfers;  // in file order
  std::uint64_t bytes = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t copies = 0;
  Transport transport = Transport::kAuto;
  std::string reason;
  int threads = 0;
  std::uint64_t slot_bytes = 0;
  std::uint64_t slots = 0;  // of all threads
};
// For a slab's plan, `device` is where it would go, to memory that begins on a page. Destinations
// are not looked at; other errors are those of stream().
Result<StreamPreview> preview(const LoadPlan& plan, Device& device,
                              const StreamOptions& options = {});

}  // namespace ingot
