// ingot::stream: resolves destinations, runs the workers.
#include "ingot/stream.h"

#include <array>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/threads.h"
#include "loader/checkpoint_state.h"
#include "loader/device_proof.h"
#include "loader/load_plan_rep.h"
#include "loader/stream_job.h"
#include "loader/stream_setup.h"
#include "loader/stream_worker.h"

namespace ingot {
namespace {

using loader::Piece;
using loader::StreamJob;
using loader::StreamSetup;

struct NamedTransport {
  Transport transport;
  std::string_view name;
};
constexpr std::array kTransports = {
    NamedTransport{Transport::kAuto, "auto"},
    NamedTransport{Transport::kPageCache, "page-cache"},
    NamedTransport{Transport::kRead, "read"},
    NamedTransport{Transport::kDirect, "direct"},
    NamedTransport{Transport::kRegisteredMapping, "registered-mapping"},
    NamedTransport{Transport::kDeviceFile, "device-file"},
};

Status check_slab(const LoadPlan& plan, const DeviceSpan& slab) {
  const std::string& path = plan.checkpoint().file().path;
  if (!plan.is_slab()) {
    return make_error(Code::kInvalidArgument, "the plan has destinations of its own").file(path);
  }
  if (slab.bytes < plan.slab_bytes()) {
    return make_error(Code::kInvalidArgument, "the slab is too small")
        .file(path)
        .expected("at least " + std::to_string(plan.slab_bytes()))
        .found(slab.bytes);
  }
  const auto address = reinterpret_cast<std::uintptr_t>(slab.data);
  if (address % LoadPlan::kSlabAlignment != 0) {
    return make_error(Code::kInvalidArgument, "the slab's address is not aligned")
        .file(path)
        .expected("a multiple of " + std::to_string(LoadPlan::kSlabAlignment));
  }
  return {};
}

std::vector<Piece> slab_pieces(const LoadPlan& plan, const std::byte* slab) {
  std::vector<Piece> pieces = plan.internal().pieces;
  for (Piece& piece : pieces) piece.destination += reinterpret_cast<std::uintptr_t>(slab);
  return pieces;
}

void work(void* context, int) { loader::StreamWorker(*static_cast<StreamJob*>(context)).run(); }

Status check_destinations(const std::vector<Piece>& pieces, const std::vector<Device*>& devices) {
  for (const Piece& piece : pieces) {
    const std::uint64_t bytes = (piece.rows - 1) * piece.destination_pitch + piece.width;
    INGOT_RETURN_IF_ERROR(devices[piece.device]->check_destination({piece.memory(), bytes}));
  }
  return {};
}

// What never is in host memory can only be hashed where it arrives.
StreamOptions effective(const StreamOptions& asked) {
  StreamOptions options = asked;
  if (options.transport == Transport::kDeviceFile && options.verify == StreamVerify::kTouched) {
    options.verify = StreamVerify::kOnDevice;
  }
  return options;
}

Result<StreamReport> run(const LoadPlan& plan, std::vector<Piece> pieces,
                         std::vector<Device*> devices, const StreamOptions& asked) {
  const StreamOptions options = effective(asked);
  const auto begin = std::chrono::steady_clock::now();
  INGOT_RETURN_IF_ERROR(check_destinations(pieces, devices));
  INGOT_ASSIGN_OR_RETURN(const StreamSetup setup,
                         loader::make_stream_setup(plan.checkpoint().internal(), std::move(pieces),
                                                   std::move(devices), options));
  const Checkpoint& checkpoint = plan.checkpoint();
  StreamJob job(checkpoint.internal(), setup, options);
  const int threads = run_on_threads(setup.threads, work, &job);
  std::uint64_t proven_on_device = 0;
  if (options.verify == StreamVerify::kOnDevice && !job.stopped() && !job.errors.any()) {
    // Its errors are with the job already.
    static_cast<void>(loader::prove_on_device(job, &proven_on_device));
  }
  INGOT_ASSIGN_OR_RETURN(StreamReport report, job.result(threads));
  report.bytes_verified += proven_on_device;
  // Digests prove more than a time of modification: where what was hashed is what was copied.
  const bool copied_later = setup.transport == Transport::kRegisteredMapping;
  if (options.verify == StreamVerify::kNone || copied_later) {
    INGOT_RETURN_IF_ERROR(checkpoint.check_unchanged());
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace

std::string_view transport_name(Transport transport) {
  for (const NamedTransport& entry : kTransports) {
    if (entry.transport == transport) return entry.name;
  }
  return "unknown";
}

std::optional<Transport> parse_transport(std::string_view name) {
  for (const NamedTransport& entry : kTransports) {
    if (entry.name == name) return entry.transport;
  }
  return std::nullopt;
}

std::string_view stream_verify_name(StreamVerify verify) {
  switch (verify) {
    case StreamVerify::kNone:
      return "none";
    case StreamVerify::kTouched:
      return "touched";
    case StreamVerify::kOnDevice:
      return "on-device";
  }
  return "unknown";
}

Result<StreamReport> stream(const LoadPlan& plan, Device& device, const DeviceSpan& slab,
                            const StreamOptions& options) {
  INGOT_RETURN_IF_ERROR(check_slab(plan, slab));
  return run(plan, slab_pieces(plan, slab.data), {&device}, options);
}

Result<StreamReport> stream(const LoadPlan& plan, const StreamOptions& options) {
  if (plan.is_slab()) {
    return make_error(Code::kInvalidArgument, "a slab's plan needs a slab")
        .file(plan.checkpoint().file().path);
  }
  return run(plan, plan.internal().pieces, plan.internal().destination_devices(), options);
}

Result<StreamPreview> preview(const LoadPlan& plan, Device& device, const StreamOptions& options) {
  std::vector<Device*> devices{&device};
  if (!plan.is_slab()) devices = plan.internal().destination_devices();
  INGOT_ASSIGN_OR_RETURN(
      const StreamSetup setup,
      loader::make_stream_setup(plan.checkpoint().internal(), plan.internal().pieces,
                                std::move(devices), effective(options)));
  StreamPreview preview;
  for (const loader::Transfer& transfer : setup.transfers.transfers()) {
    StreamPreview::Transfer& shown = preview.transfers.emplace_back();
    shown.begin = transfer.begin;
    shown.end = transfer.end;
    const bool in_place = loader::fills_in_place(transfer, setup);
    for (const Piece& piece : setup.transfers.pieces(transfer)) {
      shown.copies += in_place ? 0 : 1;
      shown.bytes += piece.bytes();
    }
    preview.bytes += shown.bytes;
    preview.copies += shown.copies;
  }
  preview.bytes_read = setup.transfers.bytes_read();
  preview.transport = setup.transport;
  preview.reason = setup.reason;
  preview.threads = setup.threads;
  preview.slot_bytes = setup.uses_slots ? setup.slot_bytes : 0;
  preview.slots =
      setup.uses_slots ? setup.slots_per_thread * static_cast<std::uint64_t>(setup.threads) : 0;
  return preview;
}

}  // namespace ingot
