#include "loader/verify_direct.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "base/checked.h"
#include "io/aligned_buffer.h"
#include "io/queue.h"
#include "loader/verify_scan.h"
#include "loader/verify_source.h"

namespace ingot::loader {
namespace {

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;
// Reads in flight, of all threads together and of each at least.
constexpr int kDepth = 32;
constexpr int kMinDepth = 4;

// A ring of reads: started in file order, across units, and consumed in the same order.
class DirectReader {
 public:
  DirectReader(VerifyJob& job, io::File& direct)
      : job_(job),
        direct_(direct),
        scan_(job.state, {.padding = job.plan.checks_padding()}, job.errors) {}

  Status prepare(std::uint32_t depth);
  Status run();
  std::string_view how() const { return queue_->reason(); }

 private:
  struct Slot {
    MutableBytes memory;
    Stretch unit;
    Stretch piece;  // of the unit; the read is of the whole pages around it
    bool arrived = false;
    Status status;
  };

  bool next_piece(Slot* slot);
  Status start(std::size_t number);
  Status wait_for(Slot& slot);
  void consume(const Slot& slot);

  VerifyJob& job_;
  io::File& direct_;
  UnitScan scan_;
  // Of all slots: large enough to lie on huge pages. A read into 256 small pages is as many
  // segments for the device, and several requests.
  io::AlignedBuffer memory_;
  std::vector<Slot> slots_;
  std::unique_ptr<DirectSource> careful_;
  Stretch unit_;                // that the next piece is cut from
  std::uint64_t position_ = 0;  // in unit_
  // Last, so that it waits for what is in flight before the slots go.
  std::unique_ptr<io::Queue> queue_;
};

Status DirectReader::prepare(std::uint32_t depth) {
  slots_.resize(depth);
  INGOT_ASSIGN_OR_RETURN(memory_, io::AlignedBuffer::allocate(depth * kPieceBytes));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].memory = memory_.bytes().subspan(i * kPieceBytes, kPieceBytes);
  }
  INGOT_ASSIGN_OR_RETURN(careful_, DirectSource::make(direct_, kPieceBytes));
  io::QueueOptions options;
  options.depth = depth;
  options.has_descriptors = job_.state.file_system->has_descriptors();
  INGOT_ASSIGN_OR_RETURN(queue_, io::open_queue(options));
  return {};
}

// Pieces end at page borders, so that no page is read for two pieces of a unit.
bool DirectReader::next_piece(Slot* slot) {
  if (position_ == unit_.end) {
    const std::optional<Stretch> unit = job_.take();
    if (!unit) return false;
    unit_ = *unit;
    position_ = unit_.begin;
  }
  slot->unit = unit_;
  slot->piece.begin = position_;
  slot->piece.end = std::min(align_down(position_ + kPieceBytes, format::kPageBytes), unit_.end);
  position_ = slot->piece.end;
  return true;
}

Status DirectReader::start(std::size_t number) {
  Slot& slot = slots_[number];
  slot.arrived = false;
  io::Transfer read;
  read.file = &direct_;
  read.offset = align_down(slot.piece.begin, format::kPageBytes);
  read.memory = slot.memory.data();
  read.bytes = align_up(slot.piece.end, format::kPageBytes) - read.offset;
  read.token = number;
  return queue_->submit(read);
}

Status DirectReader::wait_for(Slot& slot) {
  while (!slot.arrived) {
    INGOT_ASSIGN_OR_RETURN(const io::Completion completion, queue_->wait());
    Slot& other = slots_[static_cast<std::size_t>(completion.token)];
    other.arrived = true;
    other.status = completion.status;
  }
  return {};
}

void DirectReader::consume(const Slot& slot) {
  if (slot.piece.begin == slot.unit.begin) scan_.begin(slot.unit);
  // The careful way may have gone beyond this piece already.
  if (scan_.position() < slot.piece.end && job_.wants(scan_.position())) {
    if (slot.status.ok()) {
      const std::uint64_t skip =
          scan_.position() - align_down(slot.piece.begin, format::kPageBytes);
      scan_.feed(Bytes(slot.memory)
                     .subspan(static_cast<std::size_t>(skip),
                              static_cast<std::size_t>(slot.piece.end - scan_.position())));
    } else {
      verify_items(job_, scan_, slot.piece.end, *careful_);
    }
  }
  if (slot.piece.end == slot.unit.end) job_.finished(scan_.position() - slot.unit.begin);
}

Status DirectReader::run() {
  std::size_t head = 0;
  std::size_t count = 0;
  for (;;) {
    while (count < slots_.size()) {
      const std::size_t number = (head + count) % slots_.size();
      if (!next_piece(&slots_[number])) break;
      INGOT_RETURN_IF_ERROR(start(number));
      ++count;
    }
    if (count == 0) break;
    INGOT_RETURN_IF_ERROR(wait_for(slots_[head]));
    consume(slots_[head]);
    head = (head + 1) % slots_.size();
    --count;
  }
  job_.add_chunks(scan_.chunks());
  return {};
}

}  // namespace

Status verify_units_direct(VerifyJob& job, io::File& direct, int threads, std::string* how) {
  DirectReader reader(job, direct);
  INGOT_RETURN_IF_ERROR(
      // An even number of 1 MiB is whole huge pages.
      reader.prepare(static_cast<std::uint32_t>(std::max(kDepth / threads, kMinDepth)) & ~1U));
  *how = reader.how();
  return reader.run();
}

}  // namespace ingot::loader
