#include "ingot/device_writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/error.h"

namespace ingot {
namespace {

constexpr std::uint64_t kMinStaging = std::uint64_t{128} << 10;
constexpr std::uint64_t kSlotBytes = std::uint64_t{4} << 20;
constexpr std::uint64_t kMinSlots = 2;  // one to copy to while the other is written
// Copies of whole lines of the processor's cache.
constexpr std::uint64_t kPartAlignment = 64;

// What lies in a slot: parts of storages, one behind the other.
struct Part {
  StorageId storage;
  std::uint64_t offset;  // in the storage
  std::uint64_t at;      // in the slot
  std::uint64_t bytes;
};

struct Slot {
  std::span<std::byte> memory;
  std::vector<Part> parts;
  Fence fence;
};

}  // namespace

// Slots are used in turn: `current_` is being packed, the others hold, from the oldest on, what was
// packed before.
class DeviceWriter::Impl {
 public:
  Impl(Writer& writer, std::unique_ptr<StagingBuffer> staging, std::unique_ptr<CopyQueue> queue,
       std::uint64_t slots)
      : writer_(writer), staging_(std::move(staging)), queue_(std::move(queue)), slots_(slots) {
    const std::size_t bytes = staging_->bytes().size() / slots_.size();
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].memory = staging_->bytes().subspan(i * bytes, bytes);
    }
  }

  Status write(StorageId storage, const DeviceSpan& span, std::uint64_t offset) {
    for (std::uint64_t done = 0; status_.ok() && done < span.bytes;) {
      const std::uint64_t room = slots_[current_].memory.size() - used_;
      if (room == 0) {
        fail(next_slot());
        continue;
      }
      const std::uint64_t bytes = std::min(room, span.bytes - done);
      fail(pack({storage, offset + done, used_, bytes}, span.data + done));
      done += bytes;
    }
    return status_;
  }

  // Around the ring once: each slot is written when its turn comes.
  Status finish() {
    for (std::size_t i = 0; status_.ok() && i < slots_.size(); ++i) fail(next_slot());
    return status_;
  }

 private:
  Status pack(const Part& part, const std::byte* source) {
    Slot& slot = slots_[current_];
    Copy copy;
    copy.destination = slot.memory.data() + part.at;
    copy.source = source;
    copy.width = part.bytes;
    copy.direction = CopyDirection::kFromDevice;
    INGOT_RETURN_IF_ERROR(queue_->copy(copy));
    slot.parts.push_back(part);
    used_ =
        std::min<std::uint64_t>(align_up(part.at + part.bytes, kPartAlignment), slot.memory.size());
    return {};
  }

  Status next_slot() {
    INGOT_ASSIGN_OR_RETURN(slots_[current_].fence, queue_->record());
    current_ = (current_ + 1) % slots_.size();
    used_ = 0;
    Slot& slot = slots_[current_];
    if (slot.parts.empty()) return {};
    INGOT_RETURN_IF_ERROR(queue_->wait(slot.fence));
    for (const Part& part : slot.parts) {
      INGOT_RETURN_IF_ERROR(
          writer_.write(part.storage, part.offset,
                        slot.memory.subspan(static_cast<std::size_t>(part.at),
                                            static_cast<std::size_t>(part.bytes))));
    }
    slot.parts.clear();
    return {};
  }

  // Keeps the first error, and leaves nothing in flight behind it.
  void fail(Status status) {
    if (status.ok()) return;
    status_ = std::move(status);
    // Why copies failed is in the error that is kept.
    static_cast<void>(queue_->drain().ok());
  }

  Writer& writer_;
  std::unique_ptr<StagingBuffer> staging_;
  // After the memory that it copies to: its end waits for what is in flight.
  std::unique_ptr<CopyQueue> queue_;
  std::vector<Slot> slots_;
  std::size_t current_ = 0;
  std::uint64_t used_ = 0;  // of the current slot
  Status status_;
};

Result<DeviceWriter> DeviceWriter::make(Writer& writer, Device& device,
                                        const DeviceWriterOptions& options) {
  if (options.staging_bytes < kMinStaging) {
    return make_error(Code::kInvalidArgument, "staging memory is too small")
        .expected("at least " + human_bytes(kMinStaging))
        .found(human_bytes(options.staging_bytes));
  }
  const std::uint64_t slots = std::max(kMinSlots, options.staging_bytes / kSlotBytes);
  const std::uint64_t slot_bytes =
      align_down(std::min(kSlotBytes, options.staging_bytes / slots), kPartAlignment);
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<StagingBuffer> staging,
                         device.allocate_staging(slots * slot_bytes));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<CopyQueue> queue, device.open_queue());
  return DeviceWriter(std::make_unique<Impl>(writer, std::move(staging), std::move(queue), slots));
}

DeviceWriter::DeviceWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DeviceWriter::DeviceWriter(DeviceWriter&&) noexcept = default;
DeviceWriter& DeviceWriter::operator=(DeviceWriter&&) noexcept = default;
DeviceWriter::~DeviceWriter() = default;

Status DeviceWriter::write(StorageId storage, const DeviceSpan& bytes, std::uint64_t offset) {
  return impl_->write(storage, bytes, offset);
}
Status DeviceWriter::finish() { return impl_->finish(); }

}  // namespace ingot
