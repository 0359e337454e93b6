// Writes what was planned: host memory as it is, and the memory of other devices through staging
// memory.
#include <map>

#include "ingot/device_writer.h"

#include "libtorch/devices.h"
#include "libtorch/encode.h"
#include "libtorch/error.h"

namespace ingot::libtorch {

using torch::Tensor;

namespace {

// Pieces are handed over in their order; those of other devices go on in the background.
class PieceWriter {
 public:
  PieceWriter(Writer& writer, const DeviceProvider& provider, bool settled)
      : writer_(writer), devices_(provider), settled_(settled) {}

  void write(const Planned::Piece& piece) {
    const Tensor bytes = piece.bytes();
    Device* device = devices_.of(bytes.device());
    if (bytes.device().is_cpu() || device == nullptr) {
      const Tensor in_host = bytes.cpu();
      check(writer_.write(piece.storage, {static_cast<const std::byte*>(in_host.const_data_ptr()),
                                          in_host.nbytes()}));
      return;
    }
    // What LibTorch has just been asked to make is there only when its stream has come so far.
    if (piece.makes_copy || (!settled_ && !by_device_.contains(device))) devices_.settle();
    DeviceWriter& from_device = writer_for(*device);
    check(from_device.write(piece.storage,
                            {static_cast<std::byte*>(bytes.data_ptr()), bytes.nbytes()}));
    if (piece.makes_copy) check(from_device.finish());  // one copy at a time
  }

  void finish() {
    for (auto& [device, writer] : by_device_) check(writer.finish());
  }

 private:
  DeviceWriter& writer_for(Device& device) {
    const auto found = by_device_.find(&device);
    if (found != by_device_.end()) return found->second;
    return by_device_.emplace(&device, take(DeviceWriter::make(writer_, device))).first->second;
  }

  Writer& writer_;
  Devices devices_;
  const bool settled_;
  std::map<Device*, DeviceWriter> by_device_;
};

}  // namespace

WriteReport write(const std::string& path, const Planned& planned, const SaveOptions& options) {
  Writer writer = take(Writer::create(path, planned.plan, options.writer));
  PieceWriter pieces(writer, options.devices, planned.settled);
  for (const Planned::Piece& piece : planned.pieces) pieces.write(piece);
  pieces.finish();
  for (const Planned::Blob& blob : planned.blobs) {
    check(writer.write(blob.id, std::as_bytes(std::span(*blob.content))));
  }
  check(writer.commit());
  return writer.report();
}

}  // namespace ingot::libtorch
