// How the bytes of a transfer come out of the file: one class a transport.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "ingot/stream.h"

#include "io/file.h"
#include "loader/checkpoint_state.h"
#include "loader/stream_slot.h"
#include "loader/transfer_proof.h"

namespace ingot::loader {

// Of one worker, on its thread.
class StreamSource {
 public:
  // Waits for what is being read.
  virtual ~StreamSource() = default;
  // How many slots may be filling at once.
  virtual std::size_t depth() const { return 1; }
  // Begins to fill a slot, and says where its segments will be. Slots are finished in the order in
  // which they started.
  virtual Status start(Slot& slot) = 0;
  // Blocks until nobody but the caller will write to the slot's memory. An error is of the source
  // itself and says nothing of the slot, which may be written to until the source is destroyed: no
  // slot may be used any more.
  virtual Status wait_for(Slot&) { return {}; }
  // Blocks until the slot is filled, and feeds the proof on the way. An error is of this slot.
  // REQUIRES: wait_for(slot) was OK.
  virtual Status finish(Slot& slot, TransferProof& proof) = 0;

  // Seconds since construction.
  double reading() const { return reading_; }
  double verifying() const { return verifying_; }

 protected:
  double reading_ = 0;
  double verifying_ = 0;
};

struct StreamSourceOptions {
  Transport transport = Transport::kRead;
  io::File* direct = nullptr;  // kDirect
  Device* device = nullptr;    // kRegisteredMapping: the one that copies
  std::span<Slot> slots;       // of the worker; outlive the source
};

Result<std::unique_ptr<StreamSource>> make_stream_source(const Checkpoint::State& state,
                                                         const StreamSourceOptions& options);

}  // namespace ingot::loader
