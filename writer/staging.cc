#include "writer/staging.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "format/constants.h"
#include "format/digest.h"
#include "writer/slot.h"

namespace ingot::writer {
namespace {

constexpr std::uint64_t kPage = format::kPageBytes;
// Bounds a slot's bookkeeping when it collects very small storages: 32 bytes each.
constexpr std::size_t kMaxRecords = 32768;
constexpr std::uint32_t kBusy = 12;

}  // namespace

Staging::Staging(io::File& buffered, io::File* direct, std::unique_ptr<io::Queue> queue,
                 StickyStatus& error, StagingOptions options)
    : buffered_(buffered),
      direct_(direct),
      error_(error),
      options_(std::move(options)),
      queue_(std::move(queue)) {}

Staging::~Staging() = default;

Result<Reservation> Staging::reserve(const StagingRequest& request) {
  Lock lock(mutex_);
  Slot* fresh = nullptr;
  while (error_.ok()) {
    // Nobody else extends the slot that ends where this request begins, but it may be flushed
    // while acquire() waits.
    Slot* slot = continued_by(request);
    if (slot == nullptr || !fits(*slot, request)) {
      if (fresh == nullptr) {
        INGOT_ASSIGN_OR_RETURN(fresh, acquire(lock));
        continue;
      }
      begin_after(*fresh, slot, request);
      slot = std::exchange(fresh, nullptr);
    }
    const Reservation reservation = append(*slot, request);
    if (fresh != nullptr) release(*fresh);
    limit_open_slots();
    process_ready(lock);
    return reservation;
  }
  if (fresh != nullptr) release(*fresh);
  return error_.get();
}

void Staging::finish(const Reservation& reservation, const Digest128& handed_over) {
  Lock lock(mutex_);
  Slot& slot = *reservation.slot;
  slot.records[reservation.record].digest = handed_over;
  if (--slot.unfinished == 0 && slot.state == Slot::State::kSealed) ready_.push_back(&slot);
  process_ready(lock);
  wake();
}

// Few saves have a second thread, and each tensor comes by here.
void Staging::wake() {
  if (waiting_ > 0) changed_.notify_all();
}

void Staging::wait(Lock& lock) {
  ++waiting_;
  changed_.wait(lock);
  --waiting_;
}

Status Staging::drain() {
  Lock lock(mutex_);
  while (true) {
    while (!open_.empty()) seal(*open_.front(), nullptr);
    process_ready(lock);
    if (queue_failed_) return error_.get();
    if (queue_->in_flight() > 0) {
      reap();
    } else if (free_.size() == slots_.size()) {
      return error_.get();
    } else if (ready_.empty() && open_.empty()) {
      wait(lock);  // another thread hashes a slot or fills one
    }
  }
}

// The open slot whose bytes end where the request begins, padding between them apart.
Slot* Staging::continued_by(const StagingRequest& request) {
  for (Slot* slot : open_) {
    if (slot->end == request.offset || slot->end + slot->padding_after == request.offset) {
      return slot;
    }
  }
  return nullptr;
}

// Whether the request is better served from this slot than from a fresh one: chunks are kept
// whole where they can be, so that one digest serves the chunk and the slot.
bool Staging::fits(const Slot& slot, const StagingRequest& request) const {
  if (request.offset + request.bytes <= slot.capacity_end()) return true;
  if (request.bytes + kPage <= options_.slot_bytes) return false;
  return align_down(slot.capacity_end(), kPage) > request.offset;
}

Reservation Staging::append(Slot& slot, const StagingRequest& request) {
  std::memset(slot.at(slot.end, 0).data(), 0, request.offset - slot.end);
  const std::uint64_t room = slot.capacity_end() - request.offset;
  const std::uint64_t bytes = std::min(request.bytes, room);
  Reservation reservation{
      .slot = &slot, .record = slot.records.size(), .memory = slot.at(request.offset, bytes)};
  slot.records.push_back({.begin = static_cast<std::uint32_t>(request.offset - slot.base),
                          .bytes = static_cast<std::uint32_t>(bytes),
                          .digest = {}});
  slot.end = request.offset + bytes;
  slot.padding_after = bytes == request.bytes ? request.padding_after : 0;
  if (request.counted) slot.counted_bytes += bytes;
  ++slot.unfinished;
  open_.splice(open_.end(), open_, std::find(open_.begin(), open_.end(), &slot));
  if (slot.end == slot.capacity_end() || slot.records.size() >= kMaxRecords) seal(slot, nullptr);
  return reservation;
}

// Opens `fresh` for the request. The slot before it, if any, is full: it is sealed, and leaves a
// page that both have bytes of to the fresh one, so that both can go direct.
void Staging::begin_after(Slot& fresh, Slot* before, const StagingRequest& request) {
  fresh.state = Slot::State::kOpen;
  fresh.base = align_down(request.offset, kPage);
  fresh.begin = fresh.end = request.offset;
  fresh.padding_after = 0;
  open_.push_back(&fresh);
  if (before == nullptr) return;
  const bool shared_page = direct_ != nullptr && before->end % kPage != 0 &&
                           align_down(before->end, kPage) == fresh.base;
  if (!shared_page) return seal(*before, nullptr);
  fresh.begin = std::max(before->begin, fresh.base);
  fresh.end = before->end;
  fresh.records.push_back({.begin = static_cast<std::uint32_t>(fresh.begin - fresh.base),
                           .bytes = static_cast<std::uint32_t>(fresh.end - fresh.begin),
                           .digest = {}});
  ++fresh.unfinished;
  seal(*before, &fresh);
}

// A free slot. Waits for one, and flushes the one that was used least recently when all are open.
Result<Slot*> Staging::acquire(Lock& lock) {
  while (error_.ok()) {
    // Enough in flight to keep a device busy: memory that is warm serves better than more memory.
    const bool busy = queue_->in_flight() >= kBusy;
    if (free_.empty() && slots_.size() < options_.slots && !busy) {
      auto slot = std::make_unique<Slot>();
      INGOT_ASSIGN_OR_RETURN(slot->memory, io::AlignedBuffer::allocate(options_.slot_bytes));
      slot->number = static_cast<std::uint32_t>(slots_.size());
      free_.push_back(slot.get());
      slots_.push_back(std::move(slot));
    }
    if (!free_.empty()) {
      Slot* slot = free_.back();
      free_.pop_back();
      slot->state = Slot::State::kHeld;
      return slot;
    }
    if (queue_->in_flight() > 0) {
      reap();
    } else if (!open_.empty()) {
      seal(*open_.front(), nullptr);
      process_ready(lock);
    } else {
      wait(lock);  // another thread hashes a slot or fills one
    }
  }
  return error_.get();
}

void Staging::release(Slot& slot) {
  slot.state = Slot::State::kFree;
  slot.records.clear();
  slot.counted_bytes = 0;
  slot.heir = nullptr;
  free_.push_back(&slot);
  wake();
}

// No more bytes for this slot.
void Staging::seal(Slot& slot, Slot* heir) {
  open_.remove(&slot);
  slot.state = Slot::State::kSealed;
  slot.heir = heir;
  // Padding up to the end of the page is nobody else's: with it, the last page can go direct.
  const std::uint64_t page_end = align_up(slot.end, kPage);
  if (direct_ != nullptr && heir == nullptr && page_end - slot.end <= slot.padding_after) {
    std::memset(slot.at(slot.end, 0).data(), 0, page_end - slot.end);
    slot.end = page_end;
  }
  if (slot.unfinished == 0) ready_.push_back(&slot);
}

// Leaves slots for what is in flight.
void Staging::limit_open_slots() {
  const std::uint64_t limit = std::max<std::uint64_t>(options_.slots / 2, 1);
  while (open_.size() > limit) seal(*open_.front(), nullptr);
}

void Staging::process_ready(Lock& lock) {
  while (!ready_.empty()) {
    Slot* slot = ready_.back();
    ready_.pop_back();
    process(*slot, lock);
  }
}

void Staging::process(Slot& slot, Lock& lock) {
  slot.state = Slot::State::kInFlight;
  if (error_.ok()) {
    lock.unlock();
    Status status = rehash(slot);
    lock.lock();
    fail(std::move(status));
  }
  if (slot.heir != nullptr) carry_over(slot);
  if (error_.ok()) submit(slot);
  if (slot.parts_in_flight == 0) release(slot);
}

// Moves the last, partial page to the slot that goes on from here. The bytes were just verified;
// their digest goes with them.
void Staging::carry_over(Slot& slot) {
  Slot& heir = *slot.heir;
  Slot::Record& record = heir.records.front();
  const Bytes tail = slot.at(heir.base + record.begin, record.bytes);
  std::memcpy(heir.memory.data() + record.begin, tail.data(), tail.size());
  record.digest = format::xxh3_128(tail);
  slot.end -= tail.size();
  if (--heir.unfinished == 0 && heir.state == Slot::State::kSealed) ready_.push_back(&heir);
  wake();
}

Status Staging::rehash(const Slot& slot) const {
  const Bytes content = slot.memory.bytes();
  if (options_.before_rehash)
    options_.before_rehash(slot.begin, slot.at(slot.begin, slot.end - slot.begin));
  std::size_t position = slot.begin - slot.base;
  for (const Slot::Record& record : slot.records) {
    INGOT_RETURN_IF_ERROR(check_padding(slot, position, record.begin));
    const Digest128 found = format::xxh3_128(content.subspan(record.begin, record.bytes));
    position = record.begin + record.bytes;
    if (found == record.digest) continue;
    const std::uint64_t offset = slot.base + record.begin;
    return make_error(Code::kChecksumMismatch, "memory changed between hand-over and write")
        .file(options_.path)
        .at(Region::kData, offset, offset + record.bytes)
        .tensor(options_.owner_at ? options_.owner_at(offset) : std::string())
        .expected(to_string(record.digest))
        .found(to_string(found));
  }
  return check_padding(slot, position, slot.end - slot.base);
}

Status Staging::check_padding(const Slot& slot, std::size_t begin, std::size_t end) const {
  const Bytes padding = slot.memory.bytes().subspan(begin, end - begin);
  const std::size_t at = first_nonzero(padding);
  if (at == padding.size()) return {};
  const std::uint64_t offset = slot.base + begin + at;
  return make_error(Code::kChecksumMismatch, "memory changed between hand-over and write")
      .file(options_.path)
      .at(Region::kPadding, offset, offset + 1)
      .expected(0)
      .found(std::to_integer<std::uint64_t>(padding[at]));
}

void Staging::submit(Slot& slot) {
  const std::uint64_t first_page = align_up(slot.begin, kPage);
  const std::uint64_t last_page = align_down(slot.end, kPage);
  // Held for as long as parts are submitted: reap() must not release the slot before the last.
  ++slot.parts_in_flight;
  if (direct_ == nullptr || first_page >= last_page) {
    fail(submit_part(slot, buffered_, slot.begin, slot.end));
  } else {
    fail(submit_part(slot, buffered_, slot.begin, first_page));
    fail(submit_part(slot, *direct_, first_page, last_page));
    fail(submit_part(slot, buffered_, last_page, slot.end));
  }
  --slot.parts_in_flight;
}

Status Staging::submit_part(Slot& slot, io::File& file, std::uint64_t begin, std::uint64_t end) {
  if (begin == end) return {};
  while (queue_->in_flight() >= queue_->depth() && error_.ok()) reap();
  INGOT_RETURN_IF_ERROR(error_.get());
  INGOT_RETURN_IF_ERROR(queue_->submit({.op = io::Transfer::Op::kWrite,
                                        .file = &file,
                                        .offset = begin,
                                        .memory = slot.at(begin, end - begin).data(),
                                        .bytes = end - begin,
                                        .token = slot.number}));
  ++slot.parts_in_flight;
  return {};
}

// Waits for one part of one slot. REQUIRES: something is in flight.
void Staging::reap() {
  Result<io::Completion> completion = queue_->wait();
  if (!completion.ok()) {
    queue_failed_ = true;
    return fail(completion.status());
  }
  Slot& slot = *slots_[completion->token];
  const bool last = --slot.parts_in_flight == 0;
  if (completion->status.ok()) {
    if (last) {
      done_bytes_ += slot.counted_bytes;
      if (slot.counted_bytes != 0) options_.progress(done_bytes_, options_.total_bytes);
    }
  } else {
    fail(completion->status);
  }
  if (last) release(slot);
}

void Staging::fail(Status status) {
  if (status.ok()) return;
  static_cast<void>(error_.set(std::move(status)));
  wake();
}

}  // namespace ingot::writer
