// One thread of a load: a ring of slots, a source that fills them, a copy queue a device.
#pragma once

#include <memory>
#include <vector>

#include "ingot/stream.h"

#include "loader/stream_job.h"
#include "loader/stream_slot.h"
#include "loader/stream_source.h"
#include "loader/transfer_proof.h"

namespace ingot::loader {

// Slots are used in turn. From `head_` on, `filling_` of them are filling; the others are free or
// copying. A slot that is copying is waited for only when its turn comes again.
class StreamWorker {
 public:
  explicit StreamWorker(StreamJob& job) : job_(job), proof_(job.state, job.errors) {}
  StreamWorker(const StreamWorker&) = delete;
  StreamWorker& operator=(const StreamWorker&) = delete;

  // Takes transfers until there are none. Errors go to the job; nothing is in flight afterwards.
  void run();

 private:
  Status prepare();
  Status work();
  void place(Slot& slot) const;
  // Starts to fill the next slot. False when there is no transfer left.
  Result<bool> fill_next();
  Status finish(Slot& slot);
  Status fill_carefully(Slot& slot, const Status& cause);
  // What is hashed as it is read, and not on the device.
  std::span<const Stretch> proof_ranges(const Transfer& transfer) const;
  Status copy_out(Slot& slot);
  Status copy_piece(const Slot& slot, const Piece& piece);
  Status wait_for_copies(Slot& slot);
  void finish_copies();
  void drain();

  StreamJob& job_;
  // In the order of their dependencies: queues and sources go before the memory that they use.
  std::unique_ptr<StagingBuffer> staging_;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<CopyQueue>> queues_;  // by number of the device
  std::unique_ptr<StreamSource> source_;
  TransferProof proof_;
  std::size_t head_ = 0;
  std::size_t filling_ = 0;
  StreamReport report_;
};

}  // namespace ingot::loader
