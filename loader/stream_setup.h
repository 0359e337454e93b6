// Decides how a load is made: transport, threads, sizes of slots. What a preview shows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ingot/stream.h"

#include "format/constants.h"
#include "io/file.h"
#include "loader/checkpoint_state.h"
#include "loader/load_plan_rep.h"
#include "loader/transfer_plan.h"

namespace ingot::loader {

// What page alignment takes at either end of a slot.
inline constexpr std::uint64_t kSlack = 2 * format::kPageBytes;

struct StreamSetup {
  Transport transport = Transport::kRead;
  std::string reason;
  std::unique_ptr<io::File> direct;  // kDirect, kDeviceFile
  int threads = 1;
  std::uint64_t slots_per_thread = 0;  // at least 1
  std::uint64_t slot_bytes = 0;        // pinned, with what page alignment takes
  TransferPlan transfers;
  std::vector<Device*> devices;  // by Piece::device
  std::vector<bool> can_hash;    // the same; only kOnDevice asks
  // The same; null for a device that cannot, or whose memory could not be proven. kDeviceFile.
  std::vector<std::unique_ptr<DeviceFile>> device_files;
  bool uses_slots = false;  // not when every transfer is filled where it goes

  // Of one slot, to allocate: of a registered mapping only the parts of pages at either end.
  std::uint64_t staging_bytes() const {
    return transport == Transport::kRegisteredMapping ? kSlack : slot_bytes;
  }
};

// `devices` is not empty; every Piece::device is an entry of it.
Result<StreamSetup> make_stream_setup(const Checkpoint::State& state, std::vector<Piece> pieces,
                                      std::vector<Device*> devices, const StreamOptions& options);

// Whether a transfer is filled where it goes: one run, to memory that the processor may write, or
// whose device reads the file.
bool fills_in_place(const Transfer& transfer, const StreamSetup& setup);

}  // namespace ingot::loader
