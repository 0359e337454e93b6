// DeviceWriter: saves what lies in a device's memory. Loading mirrored: device -> pinned ring ->
// hash -> file, with the copies out of the device going on while what came before is hashed and
// written.
//
//   INGOT_ASSIGN_OR_RETURN(auto from_gpu, ingot::DeviceWriter::make(writer, *device));
//   INGOT_RETURN_IF_ERROR(from_gpu.write(plan.storage_of(embed), {device_pointer, bytes}));
//   INGOT_RETURN_IF_ERROR(from_gpu.finish());
//   INGOT_RETURN_IF_ERROR(writer.commit());
#pragma once

#include <cstdint>
#include <memory>

#include "ingot/device.h"
#include "ingot/status.h"
#include "ingot/writer.h"

namespace ingot {

struct DeviceWriterOptions {
  // Of pinned memory, in all; at least 128 KiB. Two slots of a few MiB keep a bus busy: more only
  // helps while the file system stalls.
  std::uint64_t staging_bytes = std::uint64_t{32} << 20;
};

// One thread at a time; several, each with a DeviceWriter of its own, may share a Writer. Writer
// and device must outlive it. Its first error is that of every later call, and nothing is in flight
// then.
class DeviceWriter {
 public:
  // Errors: kInvalidArgument, kResourceExhausted, kDeviceError.
  static Result<DeviceWriter> make(Writer& writer, Device& device,
                                   const DeviceWriterOptions& options = {});
  DeviceWriter(DeviceWriter&&) noexcept;
  DeviceWriter& operator=(DeviceWriter&&) noexcept;
  // Waits for copies in flight.
  ~DeviceWriter();

  // Saves `bytes` as the part of a storage that begins at `offset` (Writer::write has the rules for
  // parts). Returns when the copies have been started, or earlier ones written: the memory must not
  // change before finish() has returned. Errors are those of Writer::write, and kDeviceError.
  Status write(StorageId storage, const DeviceSpan& bytes, std::uint64_t offset = 0);
  // Blocks until the writer has all bytes.
  Status finish();

 private:
  class Impl;
  explicit DeviceWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ingot
