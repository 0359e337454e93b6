#include "loader/stream_source.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "format/constants.h"
#include "io/fresh_memory.h"
#include "io/queue.h"
#include "io/transfer.h"

namespace ingot::loader {
namespace {

// Copied, then hashed while it is in the cache of the processor.
constexpr std::uint64_t kPieceBytes = std::uint64_t{128} << 10;
// Of a mapping: brought in by one call.
constexpr std::uint64_t kPopulateBytes = std::uint64_t{4} << 20;

class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

MutableBytes target_of(const Slot& slot) {
  return {slot.target, static_cast<std::size_t>(slot.transfer->bytes())};
}

// All of a slot's bytes will be in one place. Staging memory was there before; a destination that
// the caller just allocated is brought in with one call.
void fill_at_target(Slot& slot) {
  if (slot.in_place && slot.reader == nullptr) io::bring_in(target_of(slot));
  slot.segments = {};
  slot.segments[0] = {slot.transfer->begin, slot.transfer->end, slot.target};
}

// What was copied out of a mapping is not kept in the resident set: a load would otherwise grow it
// by the size of the file.
//
// Bringing pages in maps their neighbours too, up to 64 KiB (the kernel's "fault around"): those of
// the part before, which have just been released, and of other threads' parts, which are brought in
// again when they are touched.
constexpr std::uint64_t kFaultAround = std::uint64_t{64} << 10;

void release_with_neighbours(const io::Mapping& mapping, std::uint64_t begin, std::uint64_t bytes) {
  const std::uint64_t from = begin - std::min(begin, kFaultAround);
  const std::uint64_t to =
      std::min<std::uint64_t>(begin + bytes + kFaultAround, mapping.bytes().size());
  mapping.release(from, to - from);
}

class PageCacheSource final : public StreamSource {
 public:
  explicit PageCacheSource(const io::Mapping& mapping) : mapping_(mapping) {}

  Status start(Slot& slot) override { return fill_at_target(slot), Status(); }

  Status finish(Slot& slot, TransferProof& proof) override {
    Stopwatch watch;
    const MutableBytes target = target_of(slot);
    const std::byte* from = mapping_.bytes().data() + slot.transfer->begin;
    std::uint64_t populated = 0;
    std::uint64_t window = 0;  // where the latest populated part begins
    for (std::uint64_t at = 0; at < target.size();) {
      if (at == populated) {
        if (at > 0) release_with_neighbours(mapping_, slot.transfer->begin + window, at - window);
        window = at;
        const std::uint64_t bytes = std::min(kPopulateBytes, target.size() - at);
        INGOT_RETURN_IF_ERROR(mapping_.populate(slot.transfer->begin + at, bytes));
        populated += bytes;
      }
      const std::uint64_t bytes = std::min(kPieceBytes, populated - at);
      const MutableBytes piece =
          target.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(bytes));
      std::memcpy(piece.data(), from + at, piece.size());
      reading_ += watch.lap();
      proof.feed(piece);
      verifying_ += watch.lap();
      at += bytes;
    }
    release_with_neighbours(mapping_, slot.transfer->begin + window, target.size() - window);
    return {};
  }

 private:
  const io::Mapping& mapping_;
};

class ReadSource : public StreamSource {
 public:
  explicit ReadSource(io::File& file) : file_(file) {}

  Status start(Slot& slot) override { return fill_at_target(slot), Status(); }

  Status finish(Slot& slot, TransferProof& proof) override {
    Stopwatch watch;
    const MutableBytes target = target_of(slot);
    for (std::uint64_t at = 0; at < target.size();) {
      const std::uint64_t bytes = std::min(kPieceBytes, target.size() - at);
      const MutableBytes piece =
          target.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(bytes));
      INGOT_RETURN_IF_ERROR(io::read_exact(file_, slot.transfer->begin + at, piece));
      reading_ += watch.lap();
      proof.feed(piece);
      verifying_ += watch.lap();
      at += bytes;
    }
    return {};
  }

 private:
  io::File& file_;
};

// What the device reads itself is proven later, in its memory.
class DeviceFileSource final : public ReadSource {
 public:
  using ReadSource::ReadSource;

  Status finish(Slot& slot, TransferProof& proof) override {
    if (slot.reader == nullptr) return ReadSource::finish(slot, proof);
    Stopwatch watch;
    Status status = slot.reader->read(slot.transfer->begin, {slot.target, slot.transfer->bytes()});
    reading_ += watch.lap();
    return status;
  }
};

// Reads whole pages, so a little more than the transfer at either end; the first page begins at the
// begin of the slot's memory.
class DirectStreamSource final : public StreamSource {
 public:
  static Result<std::unique_ptr<StreamSource>> make(const Checkpoint::State& state,
                                                    const StreamSourceOptions& options) {
    auto source = std::unique_ptr<DirectStreamSource>(new DirectStreamSource(options));
    io::QueueOptions queue;
    queue.depth = static_cast<std::uint32_t>(options.slots.size());
    queue.has_descriptors = state.file_system->has_descriptors();
    INGOT_ASSIGN_OR_RETURN(source->queue_, io::open_queue(queue));
    return {std::move(source)};
  }

  // One slot may copy while the others fill.
  std::size_t depth() const override { return std::max<std::size_t>(slots_.size() - 1, 1); }

  Status start(Slot& slot) override {
    const Transfer& transfer = *slot.transfer;
    io::Transfer read;
    read.file = &file_;
    read.offset = align_down(transfer.begin, format::kPageBytes);
    read.memory = slot.target - (transfer.begin - read.offset);
    read.bytes = align_up(transfer.end, format::kPageBytes) - read.offset;
    read.token = static_cast<std::uint64_t>(&slot - slots_.data());
    slot.arrived = false;
    fill_at_target(slot);
    return queue_->submit(read);
  }

  Status wait_for(Slot& slot) override {
    Stopwatch watch;
    while (!slot.arrived) {
      INGOT_ASSIGN_OR_RETURN(const io::Completion completion, queue_->wait());
      Slot& other = slots_[static_cast<std::size_t>(completion.token)];
      other.arrived = true;
      other.read_status = completion.status;
    }
    reading_ += watch.lap();
    return {};
  }

  Status finish(Slot& slot, TransferProof& proof) override {
    INGOT_RETURN_IF_ERROR(slot.read_status);
    Stopwatch watch;
    proof.feed(target_of(slot));
    verifying_ += watch.lap();
    return {};
  }

 private:
  explicit DirectStreamSource(const StreamSourceOptions& options)
      : file_(*options.direct), slots_(options.slots) {}

  io::File& file_;
  std::span<Slot> slots_;
  // Its destruction waits for what is in flight.
  std::unique_ptr<io::Queue> queue_;
};

// Pages of the mapping, registered; out of the resident set when they no longer are.
class RegisteredPages final : public HostRegistration {
 public:
  RegisteredPages(std::unique_ptr<HostRegistration> registration, const io::Mapping& mapping,
                  const Slot::Segment& segment)
      : registration_(std::move(registration)), mapping_(mapping), segment_(segment) {}
  ~RegisteredPages() override {
    registration_.reset();
    release_with_neighbours(mapping_, segment_.begin, segment_.end - segment_.begin);
  }
  RegisteredPages(const RegisteredPages&) = delete;
  RegisteredPages& operator=(const RegisteredPages&) = delete;

 private:
  std::unique_ptr<HostRegistration> registration_;
  const io::Mapping& mapping_;
  Slot::Segment segment_;
};

// The device copies from the mapping. A page can be registered once, and neighbouring transfers may
// share one: whole pages of the transfer are registered, the parts of pages at either end go
// through the slot.
class RegisteredSource final : public StreamSource {
 public:
  RegisteredSource(const io::Mapping& mapping, Device& device)
      : mapping_(mapping), device_(device) {}

  Status start(Slot& slot) override {
    const Transfer& transfer = *slot.transfer;
    const std::uint64_t first = std::min(align_up(transfer.begin, kPage), transfer.end);
    const std::uint64_t last = std::max(align_down(transfer.end, kPage), first);
    slot.segments[0] = {transfer.begin, first, slot.memory.data()};
    slot.segments[1] = {first, last, mapping_.bytes().data() + first};
    slot.segments[2] = {last, transfer.end, slot.memory.data() + kPage};
    return {};
  }

  Status finish(Slot& slot, TransferProof& proof) override {
    Stopwatch watch;
    INGOT_RETURN_IF_ERROR(mapping_.populate(slot.transfer->begin, slot.transfer->bytes()));
    copy_part_of_page(slot.segments[0], slot.memory.data());
    copy_part_of_page(slot.segments[2], slot.memory.data() + kPage);
    const Bytes whole_pages = bytes_of(slot.segments[1]);
    if (!whole_pages.empty()) {
      INGOT_ASSIGN_OR_RETURN(auto registration, device_.register_host(whole_pages));
      slot.registration =
          std::make_unique<RegisteredPages>(std::move(registration), mapping_, slot.segments[1]);
    }
    reading_ += watch.lap();
    for (const Slot::Segment& segment : slot.segments) proof.feed(bytes_of(segment));
    verifying_ += watch.lap();
    return {};
  }

 private:
  static constexpr std::uint64_t kPage = format::kPageBytes;

  static Bytes bytes_of(const Slot::Segment& segment) {
    return {segment.bytes, static_cast<std::size_t>(segment.end - segment.begin)};
  }
  void copy_part_of_page(const Slot::Segment& segment, std::byte* to) const {
    if (segment.begin == segment.end) return;
    std::memcpy(to, mapping_.bytes().data() + segment.begin,
                static_cast<std::size_t>(segment.end - segment.begin));
  }

  const io::Mapping& mapping_;
  Device& device_;
};

}  // namespace

Result<std::unique_ptr<StreamSource>> make_stream_source(const Checkpoint::State& state,
                                                         const StreamSourceOptions& options) {
  switch (options.transport) {
    case Transport::kPageCache:
      return {std::make_unique<PageCacheSource>(*state.mapping)};
    case Transport::kDirect:
      return DirectStreamSource::make(state, options);
    case Transport::kRegisteredMapping:
      return {std::make_unique<RegisteredSource>(*state.mapping, *options.device)};
    case Transport::kDeviceFile:
      return {std::make_unique<DeviceFileSource>(*state.file)};
    case Transport::kAuto:
    case Transport::kRead:
      break;
  }
  return {std::make_unique<ReadSource>(*state.file)};
}

}  // namespace ingot::loader
