// ingot::verify: chooses the path, runs the threads, checks what belongs to no unit.
#include "ingot/verify.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ingot/bus_guard.h"

#include "base/error.h"
#include "base/threads.h"
#include "format/digest.h"
#include "format/validate.h"
#include "loader/checkpoint_state.h"
#include "loader/direct_file.h"
#include "loader/residency.h"
#include "loader/verify_direct.h"
#include "loader/verify_job.h"
#include "loader/verify_source.h"

namespace ingot {
namespace {

using loader::VerifyJob;

// Fits in the cache of a processor beside what else it needs.
constexpr std::uint64_t kReadBytes = std::uint64_t{1} << 20;

class Verification {
 public:
  Verification(const Checkpoint::State& state, const VerifyOptions& options,
               const loader::VerifyPlan& plan, int threads)
      : state_(state), options_(options), job_(state, options, plan), threads_(threads) {}

  Result<VerifyReport> run();

 private:
  Status choose_path();
  void choose_cached();
  bool choose_direct_when_cold();
  void choose_mapping(std::string_view reason);
  Status work(int thread);
  Status work_buffered();
  Status work_mapped();
  Status work_direct(int thread);
  bool whole_file() const {
    return options_.level == VerifyLevel::kFull && options_.tensors.empty();
  }
  void check_index_form();
  void check_root_sha256();
  void check_end(const io::FileStat& before, std::uint64_t faults);

  const Checkpoint::State& state_;
  const VerifyOptions& options_;
  VerifyJob job_;
  const int threads_;
  ReadPath path_ = ReadPath::kRead;
  std::string reason_;
  std::string direct_how_;  // of thread 0
  std::unique_ptr<io::File> direct_;
};

Status Verification::choose_path() {
  switch (options_.path) {
    case ReadPath::kAuto:
      choose_cached();
      return {};
    case ReadPath::kFastest:
      if (!choose_direct_when_cold()) choose_cached();
      return {};
    case ReadPath::kRead:
      reason_ = "asked for";
      return {};
    case ReadPath::kMapping:
      choose_mapping("asked for");
      return {};
    case ReadPath::kDirect:
      break;
  }
  path_ = ReadPath::kDirect;
  INGOT_ASSIGN_OR_RETURN(direct_, loader::open_direct(state_));
  return {};
}

// Through the page cache, by the safest way that is to be had, or the fastest that is safe.
void Verification::choose_cached() {
  if (BusGuard::installed()) return choose_mapping("a BusGuard covers mapped pages");
  reason_ += "without a BusGuard only read(2) makes a truncation meanwhile an error";
}

// Whether it did. Leaves in reason_ what is in memory.
bool Verification::choose_direct_when_cold() {
  // The rest was read by open() just now.
  const bool worth_it =
      options_.level == VerifyLevel::kFull && job_.plan.total_bytes() >= loader::kSmallBytes;
  if (!worth_it) return false;
  const loader::Stretch whole = job_.plan.whole();
  const auto residency = loader::residency_of(state_, whole.begin, whole.end);
  if (!residency) return false;
  reason_ = residency->text() + "; ";
  if (residency->warm()) return false;
  Result<std::unique_ptr<io::File>> direct = loader::open_direct(state_);
  if (!direct.ok()) return false;
  direct_ = *std::move(direct);
  path_ = ReadPath::kDirect;
  return true;
}

void Verification::choose_mapping(std::string_view reason) {
  if (state_.mapping != nullptr) {
    path_ = ReadPath::kMapping;
    reason_ += reason;
  } else {
    reason_ += "the file is not mapped: ";
    reason_ += state_.mapping_error.message();
  }
}

Status Verification::work(int thread) {
  if (thread == 0 && whole_file()) {
    check_index_form();
    check_root_sha256();
  }
  switch (path_) {
    case ReadPath::kAuto:
    case ReadPath::kFastest:
    case ReadPath::kRead:
      return work_buffered();
    case ReadPath::kMapping:
      return work_mapped();
    case ReadPath::kDirect:
      return work_direct(thread);
  }
  return {};
}

Status Verification::work_buffered() {
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<loader::BufferedSource> source,
                         loader::BufferedSource::make(*state_.file, kReadBytes));
  loader::verify_units(job_, *source, *source);
  return {};
}

Status Verification::work_mapped() {
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<loader::BufferedSource> careful,
                         loader::BufferedSource::make(*state_.file, kReadBytes));
  loader::MappedSource fast(*state_.mapping);
  loader::verify_units(job_, fast, *careful);
  return {};
}

Status Verification::work_direct(int thread) {
  std::string how;
  Status status = loader::verify_units_direct(job_, *direct_, threads_, &how);
  if (thread == 0) direct_how_ = how;
  return status;
}

void Verification::check_index_form() {
  // Later minor versions may encode what this one does not know.
  if (state_.header.minor > format::kMinor) return;
  const Status canonical = format::check_canonical(state_.index_bytes(), state_.path());
  if (!canonical.ok()) job_.errors.add(state_.header.index_offset, canonical);
}

void Verification::check_root_sha256() {
  const format::Header& header = state_.header;
  if (!header.has_sha256()) return;
  const std::uint64_t column = header.chunk_count() * format::kDigestBytes;
  const Sha256 found = format::compute_root_sha256(
      header, format::sha256(state_.index_bytes()),
      format::sha256(state_.digest_table().subspan(static_cast<std::size_t>(column))));
  if (found == header.root_sha256) return;
  constexpr std::uint64_t kBegin = format::header_at::kRootSha256;
  job_.errors.add(kBegin, make_error(Code::kCorrupt, "F-16: wrong SHA-256 root")
                              .file(state_.path())
                              .at(Region::kHeader, kBegin, kBegin + format::kSha256Bytes)
                              .expected(to_string(header.root_sha256))
                              .found(to_string(found)));
}

// What happened to the file while it was read.
void Verification::check_end(const io::FileStat& before, std::uint64_t faults) {
  const std::uint64_t end = state_.header.file_bytes;
  const Result<io::FileStat> now = state_.file->stat();
  if (!now.ok()) return job_.errors.add(end, now.status());
  if (now->bytes != end) {
    return job_.errors.add(
        end,
        make_error(Code::kTruncated, "F-18: the file's length is no longer what its header says")
            .file(state_.path())
            .at(Region::kFile)
            .expected(end)
            .found(now->bytes));
  }
  const Status unchanged = state_.check_unchanged_since(before);
  if (!unchanged.ok()) return job_.errors.add(end, unchanged);
  if (BusGuard::faults() == faults) return;
  job_.errors.add(end, make_error(Code::kIoError, "pages of the mapped file could not be read")
                           .file(state_.path())
                           .at(Region::kFile));
}

Result<VerifyReport> Verification::run() {
  const auto start = std::chrono::steady_clock::now();
  INGOT_RETURN_IF_ERROR(choose_path());
  INGOT_ASSIGN_OR_RETURN(const io::FileStat before, state_.file->stat());
  const std::uint64_t faults = BusGuard::faults();

  VerifyReport report;
  report.threads = run_on_threads(
      threads_,
      [](void* context, int thread) {
        auto& self = *static_cast<Verification*>(context);
        const Status status = self.work(thread);
        if (!status.ok()) self.job_.fail(status);
      },
      this);
  INGOT_RETURN_IF_ERROR(job_.failure());
  if (job_.cancelled()) {
    return make_error(Code::kCancelled, "the verification was cancelled").file(state_.path());
  }
  check_end(before, faults);

  report.bytes = job_.bytes();
  report.chunks = job_.chunks();
  report.path = path_;
  report.reason = reason_ + direct_how_;
  job_.errors.finish(&report);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace

std::string_view read_path_name(ReadPath path) {
  switch (path) {
    case ReadPath::kAuto:
      return "auto";
    case ReadPath::kFastest:
      return "fastest";
    case ReadPath::kRead:
      return "read";
    case ReadPath::kMapping:
      return "mapping";
    case ReadPath::kDirect:
      return "direct";
  }
  return "unknown";
}

Result<VerifyReport> verify(const Checkpoint& checkpoint, const VerifyOptions& options) {
  const Checkpoint::State& state = checkpoint.internal();
  if (options.threads < 0) {
    return make_error(Code::kInvalidArgument, "a negative number of threads").file(state.path());
  }
  if (state.header.has_sha256()) INGOT_RETURN_IF_ERROR(format::check_sha256(state.path()));
  const int wanted = options.threads == 0 ? available_threads() : options.threads;
  INGOT_ASSIGN_OR_RETURN(const loader::VerifyPlan plan,
                         loader::VerifyPlan::make(state, options, wanted));
  // A thread without a unit would only cost its start.
  const auto useful = std::max<std::uint64_t>(plan.units(), 1);
  const int threads =
      static_cast<int>(std::min<std::uint64_t>(useful, static_cast<std::uint64_t>(wanted)));
  return Verification(state, options, plan, threads).run();
}

}  // namespace ingot
