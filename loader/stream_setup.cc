#include "loader/stream_setup.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/threads.h"
#include "format/constants.h"
#include "loader/transport_choice.h"

namespace ingot::loader {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr int kMaxThreads = 64;

struct Sizes {
  std::uint64_t transfer_bytes;
  std::uint64_t slots;  // of all threads
};

// Large enough that starting a transfer costs nothing beside it. Bytes that the processor copies
// are best in pieces that its cache holds; storage and buses want more at once.
Sizes preferred(Transport transport, bool to_host, std::uint64_t threads) {
  if (transport == Transport::kDirect) return {4 * kMiB, std::max<std::uint64_t>(threads * 3, 12)};
  if (to_host) return {kMiB, threads};
  return {8 * kMiB, threads * 3};
}

// The preferred sizes, or smaller ones that the budget has room for.
Status fit(const Checkpoint::State& state, const StreamOptions& options, std::uint64_t least,
           Sizes sizes, StreamSetup* setup) {
  const std::uint64_t budget = options.staging_bytes;
  std::uint64_t bytes = std::max(sizes.transfer_bytes, least);
  std::uint64_t slots = sizes.slots;
  while (slots * (bytes + kSlack) > budget) {
    if (bytes > least) {
      bytes = std::max(least, bytes / 2);
    } else if (slots > 1) {
      --slots;
    } else {
      return make_error(Code::kResourceExhausted, "the budget for staging memory is too small")
          .file(state.path())
          .expected("at least " + std::to_string(least + kSlack))
          .found(budget);
    }
  }
  setup->threads = static_cast<int>(std::min(static_cast<std::uint64_t>(setup->threads), slots));
  setup->slots_per_thread = slots / static_cast<std::uint64_t>(setup->threads);
  setup->slot_bytes = bytes + kSlack;
  return {};
}

// kUnsupported when no device reads the file.
Status open_device_files(const Checkpoint::State& state, StreamVerify verify, StreamSetup* setup) {
  Status refusal;
  bool any = false;
  setup->device_files.resize(setup->devices.size());
  for (std::size_t i = 0; i < setup->devices.size(); ++i) {
    Device& device = *setup->devices[i];
    if (verify != StreamVerify::kNone && !setup->can_hash[i]) {
      refusal = make_error(Code::kUnsupported, "it cannot prove what it reads itself")
                    .found(device.description());
      continue;
    }
    auto file = device.open_file(setup->direct->descriptor());
    if (!file.ok() && file.status().code() != Code::kUnsupported) return file.status();
    if (file.ok()) {
      setup->device_files[i] = *std::move(file);
    } else {
      refusal = file.status();
    }
    any |= setup->device_files[i] != nullptr;
  }
  if (any) return {};
  return make_error(Code::kUnsupported, "no device reads the file itself")
      .file(state.path())
      .advice(refusal.message());
}

bool all_host(const std::vector<Device*>& devices) {
  return std::all_of(devices.begin(), devices.end(),
                     [](const Device* device) { return device->host_accessible(); });
}

}  // namespace

bool fills_in_place(const Transfer& transfer, const StreamSetup& setup) {
  const std::span<const Piece> pieces = setup.transfers.pieces(transfer);
  if (setup.transport == Transport::kRegisteredMapping || pieces.size() != 1) return false;
  const Piece& piece = pieces.front();
  if (piece.rows != 1 || piece.source != transfer.begin || piece.source_end() != transfer.end) {
    return false;
  }
  if (setup.transport == Transport::kDeviceFile && setup.device_files[piece.device] != nullptr) {
    return true;
  }
  // A disk writes to the huge pages of a slot at its full rate, and slower to memory on small
  // pages, each of them a segment of its request. A copy costs less.
  return setup.transport != Transport::kDirect && setup.devices[piece.device]->host_accessible();
}

Result<StreamSetup> make_stream_setup(const Checkpoint::State& state, std::vector<Piece> pieces,
                                      std::vector<Device*> devices, const StreamOptions& options) {
  if (options.threads < 0) {
    return make_error(Code::kInvalidArgument, "a negative number of threads").file(state.path());
  }
  StreamSetup setup;
  setup.devices = std::move(devices);
  setup.can_hash.resize(setup.devices.size());
  if (options.verify == StreamVerify::kOnDevice) {
    for (std::size_t i = 0; i < setup.devices.size(); ++i) {
      const Status probe = setup.devices[i]->digest({}, {});
      if (!probe.ok() && probe.code() != Code::kUnsupported) return probe;
      setup.can_hash[i] = probe.ok();
    }
  }
  const bool to_host = all_host(setup.devices);
  INGOT_ASSIGN_OR_RETURN(TransportChoice choice,
                         choose_transport(state, options.transport, pieces, to_host));
  setup.transport = choice.transport;
  setup.reason = std::move(choice.reason);
  setup.direct = std::move(choice.direct);
  if (setup.transport == Transport::kDeviceFile) {
    INGOT_RETURN_IF_ERROR(open_device_files(state, options.verify, &setup));
  }

  const bool verify = options.verify != StreamVerify::kNone;
  const std::uint64_t least = verify ? state.info.chunk_bytes : format::kPageBytes;
  setup.threads =
      std::min(options.threads == 0 ? available_threads() : options.threads, kMaxThreads);
  const auto threads = static_cast<std::uint64_t>(setup.threads);
  const Status fitting =
      fit(state, options, least, preferred(setup.transport, to_host, threads), &setup);
  if (!fitting.ok()) {  // which matters only where a slot is needed
    setup.slots_per_thread = 1;
    setup.slot_bytes = least + kSlack;
  }
  setup.transfers = TransferPlan::make(
      state, std::move(pieces), {.max_bytes = setup.slot_bytes - kSlack, .whole_chunks = verify});
  // A thread without a transfer would only cost its start.
  const std::uint64_t useful = std::max<std::uint64_t>(setup.transfers.transfers().size(), 1);
  setup.threads = static_cast<int>(std::min(static_cast<std::uint64_t>(setup.threads), useful));
  setup.slots_per_thread =
      std::min(setup.slots_per_thread, ceil_div(useful, static_cast<std::uint64_t>(setup.threads)));
  setup.uses_slots =
      std::any_of(setup.transfers.transfers().begin(), setup.transfers.transfers().end(),
                  [&](const Transfer& transfer) { return !fills_in_place(transfer, setup); });
  if (setup.uses_slots) INGOT_RETURN_IF_ERROR(fitting);
  return {std::move(setup)};
}

}  // namespace ingot::loader
