#include "writer/session.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "format/constants.h"
#include "format/digest.h"
#include "format/validate.h"
#include "io/file_system.h"
#include "writer/plan_check.h"
#include "writer/plan_content.h"

namespace ingot::writer {
namespace {

constexpr std::uint64_t kPage = format::kPageBytes;
constexpr std::uint64_t kMinSlotBytes = 4 * kPage;
constexpr std::uint64_t kMinSlots = 8;
constexpr std::uint64_t kMaxSlots = 64;  // more are never in flight

// From each storage's end to the next storage that has bytes, or to the digest table.
std::vector<LedgerStorage> ledger_storages(const std::vector<format::IndexStorage>& placed,
                                           std::uint64_t digests_offset) {
  std::vector<LedgerStorage> storages(placed.size());
  std::uint64_t next = digests_offset;
  for (std::size_t i = placed.size(); i-- > 0;) {
    const format::IndexStorage& s = placed[i];
    storages[i] = {.offset = s.offset, .bytes = s.bytes, .first_chunk = s.first_chunk};
    if (s.bytes == 0) continue;
    storages[i].padding_after = next - (s.offset + s.bytes);
    next = s.offset;
  }
  return storages;
}

// The rest of a slot behind its last huge page would lie on small ones, to which a disk is slower:
// rather more slots.
std::uint64_t whole_huge_pages(std::uint64_t bytes) {
  return bytes < io::kHugePageBytes ? bytes : align_down(bytes, io::kHugePageBytes);
}

std::uint32_t log2_of(std::uint64_t power) {
  return static_cast<std::uint32_t>(std::countr_zero(power));
}

}  // namespace

Session::Session(std::string_view path, const WriterOptions& options, const Tuning& tuning)
    : path_(path), options_(options), tuning_(tuning) {}

Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::create(std::string_view path, const WritePlan& plan,
                                                 const WriterOptions& options,
                                                 const Tuning& tuning) {
  INGOT_RETURN_IF_ERROR(check_options(options, path));
  if (options.sha256) INGOT_RETURN_IF_ERROR(format::check_sha256(path));
  INGOT_ASSIGN_OR_RETURN(const std::vector<format::NameHash> names, check_plan(plan, path));
  std::unique_ptr<Session> session(new Session(path, options, tuning));
  INGOT_RETURN_IF_ERROR(session->plan_file(plan, names));
  INGOT_RETURN_IF_ERROR(session->open_file());
  return session;
}

Status Session::plan_file(const WritePlan& plan, std::span<const format::NameHash> names) {
  INGOT_ASSIGN_OR_RETURN(PlanLayout layout, layout_plan(plan, options_, path_));
  INGOT_RETURN_IF_ERROR(build_index(layout, PlanContent(plan, layout, names)));
  tensor_storage_.reserve(plan.tensors().size());
  for (const TensorSpec& tensor : plan.tensors()) tensor_storage_.push_back(*tensor.storage);
  for (const auto& attachment : plan.attachments()) {
    attachment_storage_.push_back(attachment.storage);
  }
  storage_bytes_ = plan.storage_bytes();
  storage_number_ = std::move(layout.storage_number);
  INGOT_RETURN_IF_ERROR(make_ledger(layout));
  report_.file_bytes = tail_.file_bytes;
  report_.data_bytes = layout.data_bytes;
  report_.padding_bytes =
      tail_.file_bytes - 2 * kPage - layout.data_bytes - tail_.digests_bytes - tail_.index_bytes;
  return {};
}

// Grows with the data, so space comes first: a plan that is too large for the disk costs no memory.
Status Session::make_ledger(const PlanLayout& layout) {
  INGOT_RETURN_IF_ERROR(
      io::AtomicFile::check_space(io::or_posix(options_.file_system), path_, tail_.file_bytes));
  auto ledger = Ledger::create(ledger_storages(layout.storages, tail_.digests_offset),
                               layout.chunks, options_.chunk_bytes, options_.sha256);
  if (!ledger.ok()) {
    return make_error(ledger.status().code(), ledger.status().message()).file(path_);
  }
  ledger_ = *std::move(ledger);
  return {};
}

// No field of the index depends on data: its bytes, and so the size of the file, are known now.
Status Session::build_index(const PlanLayout& layout, const format::IndexContent& content) {
  const auto allocate = [this](std::uint64_t bytes) -> Result<MutableBytes> {
    INGOT_ASSIGN_OR_RETURN(index_memory_, io::AlignedBuffer::allocate(bytes));
    return index_memory_.bytes();
  };
  INGOT_ASSIGN_OR_RETURN(index_, format::encode_index(content, allocate));
  const auto tail =
      format::tail_layout(layout.data_end, layout.chunks, options_.sha256, index_.size());
  if (!tail.ok()) {
    return make_error(Code::kInvalidArgument, "the file would be larger than 2^63 bytes")
        .file(path_);
  }
  tail_ = *tail;
  header_.optional_features = options_.sha256 ? format::kOptionalSha256 : 0;
  header_.file_bytes = tail_.file_bytes;
  header_.data_end = layout.data_end;
  header_.digests_offset = tail_.digests_offset;
  header_.digests_bytes = tail_.digests_bytes;
  header_.index_offset = tail_.index_offset;
  header_.index_bytes = tail_.index_bytes;
  header_.chunk_log2 = log2_of(options_.chunk_bytes);
  header_.alignment_log2 = log2_of(options_.alignment);
  return self_check();
}

// What no reader would accept is not written.
Status Session::self_check() const {
  const Limits no_limits{.max_tensors = std::numeric_limits<std::uint64_t>::max()};
  const Status status = format::validate_index(index_, header_, no_limits, path_);
  if (status.ok()) return {};
  return {Code::kInternal, "the index built from this plan is refused: " + status.to_string(),
          status.location()};
}

Status Session::open_file() {
  io::FileSystem& file_system = io::or_posix(options_.file_system);
  const io::AtomicFile::Options atomic{.replace = options_.existing == Existing::kReplace,
                                       .durable = options_.durability == Durability::kFull};
  INGOT_ASSIGN_OR_RETURN(file_, io::AtomicFile::create(file_system, path_, atomic));
  INGOT_RETURN_IF_ERROR(file_->reserve(tail_.file_bytes));
  INGOT_RETURN_IF_ERROR(open_direct());
  return open_staging();
}

Status Session::open_direct() {
  if (options_.direct == DirectIo::kOff) {
    report_.io_reason = "O_DIRECT was not asked for";
    return {};
  }
  if (options_.direct == DirectIo::kAuto && report_.data_bytes < tuning_.direct_bytes) {
    report_.io_reason = human_bytes(report_.data_bytes) + " of data: O_DIRECT pays from " +
                        human_bytes(tuning_.direct_bytes);
    return {};
  }
  Result<std::unique_ptr<io::File>> direct = file_->file().reopen_direct();
  Status status = direct.status();
  if (direct.ok()) {
    const io::DirectAlignment alignment = (*direct)->direct_alignment();
    if (alignment.memory <= kPage && alignment.offset <= kPage) {
      direct_ = *std::move(direct);
      report_.io_reason =
          options_.direct == DirectIo::kOn ? "O_DIRECT was asked for" : "O_DIRECT is allowed here";
      return {};
    }
    status = make_error(Code::kUnsupported, "O_DIRECT asks for an alignment above a page")
                 .file(path_)
                 .found(std::max(alignment.memory, alignment.offset));
  }
  if (options_.direct == DirectIo::kOn) return status;
  report_.io_reason = "no O_DIRECT: " + std::string(status.message());
  return {};
}

Status Session::open_staging() {
  // At least kMinSlots slots within the budget; small files need no large ones.
  const std::uint64_t slot_bytes = std::max(
      kMinSlotBytes, align_down(std::min({whole_huge_pages(options_.staging_bytes / kMinSlots),
                                          tuning_.slot_bytes, tail_.file_bytes}),
                                kPage));
  const bool small = tail_.file_bytes <= tuning_.synchronous_bytes;
  INGOT_ASSIGN_OR_RETURN(
      auto queue,
      io::open_queue({.kind = small ? io::QueueKind::kSynchronous : tuning_.queue,
                      .depth = tuning_.queue_depth,
                      .has_descriptors = io::or_posix(options_.file_system).has_descriptors()}));
  report_.io_path = std::string(direct_ ? "O_DIRECT, " : "buffered, ") +
                    std::string(io::queue_kind_name(queue->kind()));
  report_.io_reason += "; " + (small ? "small file" : std::string(queue->reason()));
  StagingOptions staging{.slot_bytes = slot_bytes,
                         .slots = std::min(options_.staging_bytes / slot_bytes, kMaxSlots),
                         .total_bytes = report_.data_bytes,
                         .progress = options_.progress,
                         .path = path_,
                         .owner_at = [this](std::uint64_t offset) { return owner_at(offset); },
                         .before_rehash = tuning_.before_rehash};
  staging_ = std::make_unique<Staging>(file_->file(), direct_.get(), std::move(queue), error_,
                                       std::move(staging));
  return {};
}

}  // namespace ingot::writer
