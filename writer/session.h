// What Writer is made of: one file on its way from a plan to its name.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/status.h"
#include "ingot/writer.h"

#include "base/bytes.h"
#include "format/header.h"
#include "format/index_model.h"
#include "format/layout.h"
#include "io/aligned_buffer.h"
#include "io/atomic_file.h"
#include "io/queue.h"
#include "writer/ledger.h"
#include "writer/plan_layout.h"
#include "writer/staging.h"
#include "writer/sticky_status.h"

namespace ingot::writer {

// Numbers that are not the user's business, and hooks for tests.
struct Tuning {
  std::uint64_t slot_bytes = std::uint64_t{4} << 20;  // one write; multiple of a page
  std::uint32_t queue_depth = 32;
  io::QueueKind queue = io::QueueKind::kAuto;
  // DirectIo::kAuto takes O_DIRECT from here on; below, the page cache is as good.
  std::uint64_t direct_bytes = std::uint64_t{64} << 20;
  // Files up to this size are written without a queue: setting one up costs more than it saves.
  std::uint64_t synchronous_bytes = std::uint64_t{4} << 20;
  // One write() of at least this much is shared among WriterOptions::threads.
  std::uint64_t parallel_bytes = std::uint64_t{8} << 20;
  // See StagingOptions.
  std::function<void(std::uint64_t file_offset, MutableBytes content)> before_rehash = {};
};

// See Writer for the rules: what may be called when, threads, errors.
class Session {
 public:
  static Result<std::unique_ptr<Session>> create(std::string_view path, const WritePlan& plan,
                                                 const WriterOptions& options,
                                                 const Tuning& tuning = {});
  ~Session();

  Status write(TensorId tensor, Bytes bytes);
  Status write(AttachmentId attachment, Bytes bytes);
  Status write(StorageId storage, Bytes bytes);
  Status write(StorageId storage, std::uint64_t offset, Bytes bytes);
  Status commit();
  const WriteReport& report() const { return report_; }

 private:
  struct SharedWrite;
  // Bytes of the caller, all within one chunk.
  struct Piece {
    const LedgerStorage* storage = nullptr;
    std::uint64_t chunk = 0;  // within the storage
    std::uint64_t begin = 0;  // within the chunk
    Bytes bytes;
  };

  Session(std::string_view path, const WriterOptions& options, const Tuning& tuning);
  // create(), in steps.
  Status plan_file(const WritePlan& plan, std::span<const format::NameHash> names);
  Status make_ledger(const PlanLayout& layout);
  Status build_index(const PlanLayout& layout, const format::IndexContent& content);
  Status self_check() const;
  Status open_file();
  Status open_direct();
  Status open_staging();

  // write(), in steps.
  Status write_checked(StorageId storage, std::uint64_t offset, Bytes bytes);
  Status stage_range(const LedgerStorage& storage, std::uint64_t offset, Bytes bytes);
  Status stage_piece(const Piece& piece);
  bool cancelled() const;
  Status check_cancelled() const;

  // commit(), in steps (session_commit.cc).
  Status commit_checked();
  Status check_complete() const;
  Status write_region(std::uint64_t offset, Bytes bytes, std::uint64_t padding_after);
  Status write_tail();
  void complete_header();
  Status write_headers();
  Status read_back_all(std::uint64_t window_bytes);
  std::string owner_at(std::uint64_t file_offset) const;
  std::string owner_of(std::uint32_t storage) const;

  std::string path_;
  WriterOptions options_;
  Tuning tuning_;
  std::vector<StorageId> tensor_storage_;      // by TensorId
  std::vector<StorageId> attachment_storage_;  // by AttachmentId
  std::vector<std::uint64_t> storage_bytes_;   // by StorageId
  std::vector<std::uint32_t> storage_number_;  // by StorageId
  io::AlignedBuffer index_memory_;
  Bytes index_;
  format::TailLayout tail_;
  format::Header header_;
  format::HeaderPage header_page_{};
  WriteReport report_;
  StickyStatus error_;
  std::atomic<bool> committing_ = false;
  std::unique_ptr<Ledger> ledger_;
  // In the order of who needs whom. Gone after commit().
  std::optional<io::AtomicFile> file_;
  std::unique_ptr<io::File> direct_;
  std::unique_ptr<Staging> staging_;
};

}  // namespace ingot::writer
