#include "tools/verify/on_device.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "ingot/load_plan.h"
#include "ingot/stream.h"

#include "base/checked.h"

namespace ingot::tools {
namespace {

constexpr std::uint64_t kWindowBytes = std::uint64_t{1} << 30;

// Fills one window after the other with storages, or chunks of large ones, as they lie in the file.
class Windows {
 public:
  explicit Windows(const Checkpoint& checkpoint)
      : checkpoint_(checkpoint),
        capacity_(std::min(align_up(checkpoint.file().data_end - checkpoint.file().data_begin +
                                        LoadPlan::kSlabAlignment,
                                    LoadPlan::kSlabAlignment),
                           std::max(kWindowBytes, checkpoint.file().chunk_bytes))) {}

  std::uint64_t capacity() const { return capacity_; }
  bool done() const { return storage_ == checkpoint_.storage_count(); }

  // What comes next. REQUIRES: !done().
  Result<LoadPlan> next(Device& device, std::byte* window) {
    LoadPlan plan(checkpoint_);
    std::uint64_t used = 0;
    while (!done()) {
      const StorageInfo storage = checkpoint_.storage(storage_);
      const std::uint64_t chunk = checkpoint_.file().chunk_bytes;
      const std::uint64_t left = storage.bytes - offset_;
      const std::uint64_t room = capacity_ - used;
      const std::uint64_t bytes = left <= room ? left : align_down(room, chunk);
      if (bytes == 0 && left > 0) break;
      Destination destination;
      destination.device = &device;
      destination.memory = {window + used, bytes};
      INGOT_RETURN_IF_ERROR(plan.add_storage(storage_, offset_, destination));
      used = std::min(align_up(used + bytes, 16), capacity_);
      offset_ += bytes;
      if (offset_ < storage.bytes) break;
      ++storage_;
      offset_ = 0;
    }
    return plan;
  }

 private:
  const Checkpoint& checkpoint_;
  const std::uint64_t capacity_;
  std::uint32_t storage_ = 0;
  std::uint64_t offset_ = 0;  // in the storage
};

// Progress over all windows.
struct Overall {
  const VerifyOptions& options;
  std::uint64_t done = 0;  // in earlier windows
  std::uint64_t total = 0;

  static void note(void* context, std::uint64_t done, std::uint64_t) {
    const auto& self = *static_cast<const Overall*>(context);
    self.options.progress(std::min(self.done + done, self.total), self.total);
  }
};

std::uint64_t storage_bytes(const Checkpoint& checkpoint) {
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < checkpoint.storage_count(); ++i) {
    bytes += checkpoint.storage(i).bytes;
  }
  return bytes;
}

bool is_damage(const Status& status) {
  return status.code() == Code::kChecksumMismatch || status.code() == Code::kCorrupt;
}

Result<VerifyReport> verify_metadata(const Checkpoint& checkpoint, const VerifyOptions& options) {
  VerifyOptions metadata = options;
  metadata.level = VerifyLevel::kIndex;
  metadata.path = ReadPath::kRead;
  metadata.progress = {};
  return verify(checkpoint, metadata);
}

}  // namespace

Result<VerifyReport> verify_on_device(const Checkpoint& checkpoint, Device& device,
                                      const VerifyOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  INGOT_ASSIGN_OR_RETURN(VerifyReport report, verify_metadata(checkpoint, options));
  report.reason = "hashed on " + device.description();
  Windows windows(checkpoint);
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<DeviceBuffer> memory,
                         device.allocate(windows.capacity()));
  Overall overall{options, 0, checkpoint.file().data_end - checkpoint.file().data_begin};
  StreamOptions loading{.verify = StreamVerify::kOnDevice,
                        .threads = options.threads,
                        .progress = {Overall::note, &overall},
                        .cancel = options.cancel};
  loading.staging_bytes = std::max(loading.staging_bytes, 2 * checkpoint.file().chunk_bytes);
  std::uint64_t proven = 0;
  while (report.intact() && !windows.done()) {
    INGOT_ASSIGN_OR_RETURN(const LoadPlan plan, windows.next(device, memory->span().data));
    const Result<StreamReport> loaded = stream(plan, loading);
    if (!loaded.ok()) {
      if (!is_damage(loaded.status())) return loaded.status();
      report.errors.push_back(loaded.status());
      ++report.error_count;
      break;
    }
    report.bytes += loaded->bytes;
    proven += loaded->bytes_verified;
    report.threads = std::max(report.threads, loaded->threads);
    overall.done += loaded->bytes_read;
  }
  if (report.intact()) {
    if (proven != storage_bytes(checkpoint)) {
      return Status(Code::kInternal, "not every byte was proven on the device");
    }
    report.chunks = checkpoint.chunk_count();
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace ingot::tools
