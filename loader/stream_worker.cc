#include "loader/stream_worker.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "format/constants.h"
#include "io/transfer.h"
#include "loader/device_proof.h"

namespace ingot::loader {
namespace {

// Calls visit(Stretch) -> Status for the bytes of storages within a range, at most a chunk at a
// time, until one fails. What lies between storages is left out.
template <typename Visit>
Status for_each_part(const Checkpoint::State& state, const Stretch& range, Visit&& visit) {
  const std::uint32_t count = state.index.storage_count();
  for (std::uint32_t i = state.index.storage_at(range.begin).value_or(0); i < count; ++i) {
    const StorageInfo storage = state.storage(i);
    if (storage.offset >= range.end) break;
    const std::uint64_t end = std::min(storage.offset + storage.bytes, range.end);
    for (std::uint64_t at = std::max(storage.offset, range.begin); at < end;) {
      const std::uint64_t n = std::min(state.info.chunk_bytes, end - at);
      INGOT_RETURN_IF_ERROR(visit(Stretch{at, at + n}));
      at += n;
    }
  }
  return {};
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Pinned memory is worth most where a device needs it.
Device& staging_device(const StreamSetup& setup) {
  for (Device* device : setup.devices) {
    if (!device->host_accessible()) return *device;
  }
  return *setup.devices.front();
}

// Fewer slots than `count` where not so much memory can be had: page-locked memory has a quota that
// nobody can ask for.
Result<std::unique_ptr<StagingBuffer>> allocate_slots(Device& device, std::uint64_t slot_bytes,
                                                      std::size_t* count) {
  while (true) {
    auto memory = device.allocate_staging(*count * slot_bytes);
    const bool refused = memory.status().code() == Code::kResourceExhausted;
    if (!refused || *count == 1) return memory;
    *count /= 2;
  }
}

}  // namespace

Status StreamWorker::prepare() {
  const StreamSetup& setup = job_.setup;
  auto count = static_cast<std::size_t>(setup.slots_per_thread);
  const auto slot_bytes = static_cast<std::size_t>(setup.staging_bytes());
  if (setup.uses_slots) {
    INGOT_ASSIGN_OR_RETURN(staging_, allocate_slots(staging_device(setup), slot_bytes, &count));
  }
  slots_.resize(count);
  if (setup.uses_slots) report_.peak_staging_bytes = count * setup.slot_bytes;
  for (std::size_t i = 0; i < count; ++i) {
    if (staging_ != nullptr) {
      slots_[i].memory = staging_->bytes().subspan(i * slot_bytes, slot_bytes);
    }
    slots_[i].fences.resize(setup.devices.size());
  }
  for (Device* device : setup.devices) {
    INGOT_ASSIGN_OR_RETURN(std::unique_ptr<CopyQueue> queue, device->open_queue());
    queues_.push_back(std::move(queue));
  }
  StreamSourceOptions options;
  options.transport = setup.transport;
  options.direct = setup.direct.get();
  options.device = &staging_device(setup);
  options.slots = slots_;
  INGOT_ASSIGN_OR_RETURN(source_, make_stream_source(job_.state, options));
  return {};
}

void StreamWorker::run() {
  Status status = prepare();
  if (status.code() == Code::kResourceExhausted) {
    job_.refuse(status);  // the others go on without this worker
  } else {
    if (status.ok()) status = work();
    if (!status.ok()) job_.fail(status);
  }
  // What is being read is waited for by the source's end.
  if (source_ != nullptr) {
    report_.stages.read = source_->reading();
    report_.stages.verify = source_->verifying();
  }
  source_.reset();
  if (status.ok()) finish_copies();
  drain();
  job_.add(report_);
}

Status StreamWorker::work() {
  const std::size_t depth = std::min(source_->depth(), slots_.size());
  bool more = true;
  while (true) {
    while (more && filling_ < depth) {
      INGOT_ASSIGN_OR_RETURN(more, fill_next());
    }
    if (filling_ == 0) break;
    Slot& slot = slots_[head_];
    head_ = (head_ + 1) % slots_.size();
    --filling_;
    INGOT_RETURN_IF_ERROR(finish(slot));
    if (job_.stopped()) break;
  }
  return {};
}

Result<bool> StreamWorker::fill_next() {
  const Transfer* transfer = job_.take();
  if (transfer == nullptr) return false;
  Slot& slot = slots_[(head_ + filling_) % slots_.size()];
  INGOT_RETURN_IF_ERROR(wait_for_copies(slot));
  slot.transfer = transfer;
  place(slot);
  INGOT_RETURN_IF_ERROR(source_->start(slot));
  slot.state = Slot::State::kFilling;
  ++filling_;
  return true;
}

void StreamWorker::place(Slot& slot) const {
  const Transfer& transfer = *slot.transfer;
  slot.in_place = fills_in_place(transfer, job_.setup);
  slot.reader = nullptr;
  if (slot.in_place) {
    const Piece& piece = job_.setup.transfers.pieces(transfer).front();
    slot.target = piece.memory();
    if (!job_.setup.device_files.empty()) slot.reader = job_.setup.device_files[piece.device].get();
  } else if (!slot.memory.empty()) {
    slot.target = slot.memory.data() + transfer.begin % format::kPageBytes;
  }
}

Status StreamWorker::finish(Slot& slot) {
  const Transfer& transfer = *slot.transfer;
  const std::uint64_t verified = proof_.bytes();
  INGOT_RETURN_IF_ERROR(source_->wait_for(slot));
  proof_.begin(transfer, proof_ranges(transfer));
  Status filled = source_->finish(slot, proof_);
  slot.state = Slot::State::kFree;
  if (!filled.ok()) filled = fill_carefully(slot, filled);
  if (!filled.ok()) return {};
  // Damage is with the job already; it goes no further.
  if (job_.stopped() || !job_.errors.wants(transfer.end - 1)) return {};
  if (!slot.in_place) INGOT_RETURN_IF_ERROR(copy_out(slot));
  ++report_.transfers;
  report_.bytes_read += transfer.bytes();
  report_.bytes_verified += proof_.bytes() - verified;
  for (const Piece& piece : job_.setup.transfers.pieces(transfer)) report_.bytes += piece.bytes();
  job_.finished(transfer);
  return {};
}

// Reads what was asked for, and nothing else, in small parts, so that an error names what it
// concerns. What cannot be read this way either is reported.
Status StreamWorker::fill_carefully(Slot& slot, const Status& cause) {
  const Transfer& transfer = *slot.transfer;
  const std::span<const Stretch> ranges = job_.setup.transfers.ranges(transfer);
  if (job_.setup.transport == Transport::kRegisteredMapping || slot.reader != nullptr) {
    // A transfer of nothing but padding has no range that was asked for.
    job_.fail_read(ranges.empty() ? Stretch{transfer.begin, transfer.end} : ranges.front(), cause);
    return cause;
  }
  for (const Stretch& range : ranges) {
    INGOT_RETURN_IF_ERROR(for_each_part(job_.state, range, [&](const Stretch& part) {
      const MutableBytes bytes(slot.target + (part.begin - transfer.begin),
                               static_cast<std::size_t>(part.bytes()));
      Status status = io::read_exact(*job_.state.file, part.begin, bytes);
      if (!status.ok()) job_.fail_read(part, status);
      return status;
    }));
  }
  proof_.begin(transfer, proof_ranges(transfer));
  proof_.feed({slot.target, static_cast<std::size_t>(transfer.bytes())});
  return {};
}

std::span<const Stretch> StreamWorker::proof_ranges(const Transfer& transfer) const {
  const bool in_staging =
      job_.options.verify == StreamVerify::kTouched ||
      (job_.options.verify == StreamVerify::kOnDevice && !arrives_whole(transfer, job_));
  return in_staging ? job_.setup.transfers.ranges(transfer) : std::span<const Stretch>();
}

Status StreamWorker::copy_out(Slot& slot) {
  const auto begin = Clock::now();
  slot.state = Slot::State::kCopying;
  std::uint32_t last = 0;
  for (const Piece& piece : job_.setup.transfers.pieces(*slot.transfer)) {
    INGOT_RETURN_IF_ERROR(copy_piece(slot, piece));
    last = std::max(last, piece.device);
  }
  for (std::uint32_t device = 0; device <= last; ++device) {
    const Result<Fence> fence = queues_[device]->record();
    if (!fence.ok()) {
      job_.fail_copy(slot.transfer->begin, slot.transfer->end, fence.status());
      return fence.status();
    }
    slot.fences[device] = *fence;
  }
  report_.stages.copy += seconds_since(begin);
  return {};
}

Status StreamWorker::copy_piece(const Slot& slot, const Piece& piece) {
  Status status;
  for (const Slot::Segment& segment : slot.segments) {
    clip(piece, segment.begin, segment.end, [&](const Piece& part) {
      if (!status.ok()) return;
      Copy copy;
      copy.destination = part.memory();
      copy.source = segment.bytes + (part.source - segment.begin);
      copy.width = part.width;
      copy.rows = part.rows;
      copy.source_pitch = part.source_pitch;
      copy.destination_pitch = part.destination_pitch;
      status = queues_[part.device]->copy(copy);
      if (!status.ok()) job_.fail_copy(part.source, part.source_end(), status);
      ++report_.copies;
    });
  }
  return status;
}

Status StreamWorker::wait_for_copies(Slot& slot) {
  if (slot.state != Slot::State::kCopying) return {};
  const auto begin = Clock::now();
  for (std::size_t device = 0; device < queues_.size(); ++device) {
    const Status status = queues_[device]->wait(slot.fences[device]);
    if (!status.ok())
      return job_.fail_copy(slot.transfer->begin, slot.transfer->end, status), status;
  }
  slot.registration.reset();
  slot.state = Slot::State::kFree;
  report_.stages.copy += seconds_since(begin);
  return {};
}

// Slot by slot, so that an error names what it is about.
void StreamWorker::finish_copies() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Status status = wait_for_copies(slots_[(head_ + i) % slots_.size()]);
    if (!status.ok()) return job_.fail(status);
  }
}

// After it nothing is in flight, whatever went before.
void StreamWorker::drain() {
  const auto begin = Clock::now();
  for (const std::unique_ptr<CopyQueue>& queue : queues_) {
    const Status status = queue->drain();
    if (!status.ok()) job_.fail(status);
  }
  for (Slot& slot : slots_) slot.registration.reset();
  report_.stages.copy += seconds_since(begin);
}

}  // namespace ingot::loader
