// CheckpointDirectory::prune: first everything is looked at, then the oldest go first.
#include <algorithm>
#include <string>

#include "ingot/directory.h"

#include "base/error.h"
#include "io/file_system.h"
#include "loader/verified_open.h"

namespace ingot {
namespace {

// Whether the file itself is bad, rather than the attempt to read it.
bool is_proven_damage(const Status& status) {
  const Code code = status.code();
  return code == Code::kTruncated || code == Code::kCorrupt || code == Code::kChecksumMismatch;
}

// Sorts the files into what stays and what goes. Goes from the newest to the oldest, and so knows
// of each how many good ones are newer.
class Triage {
 public:
  Triage(std::uint64_t keep_last, const PruneOptions& options)
      : keep_last_(keep_last), options_(options) {}

  Status run(const std::vector<CheckpointFile>& files, io::FileSystem* file_system) {
    const auto verified = loader::verified_open_options(options_, file_system);
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
      Status status = loader::open_verified(file->path, verified).status();
      if (status.code() == Code::kCancelled) return status;
      sort_in(*file, status);
    }
    std::reverse(report_.kept.begin(), report_.kept.end());
    std::reverse(report_.removed.begin(), report_.removed.end());
    std::reverse(report_.damaged.begin(), report_.damaged.end());
    return {};
  }
  PruneReport& report() { return report_; }

 private:
  void sort_in(const CheckpointFile& file, const Status& status) {
    if (status.code() == Code::kNotFound) return;  // another process that prunes was quicker
    if (!status.ok()) {
      report_.damaged.push_back({file.step, file.path, status});
      const bool superseded = !report_.kept.empty();
      if (options_.remove_damaged && superseded && is_proven_damage(status)) {
        report_.removed.push_back(file);
      }
    } else if (report_.kept.size() < keep_last_) {
      report_.kept.push_back(file);
    } else {
      report_.removed.push_back(file);
    }
  }

  std::uint64_t keep_last_;
  const PruneOptions& options_;
  PruneReport report_;
};

// Oldest first. Goes on after an error; returns the first. Leaves in `files` those that are gone by
// this call.
Status remove_all(io::FileSystem& file_system, std::vector<CheckpointFile>* files) {
  Status first;
  std::erase_if(*files, [&](const CheckpointFile& file) {
    Status status = file_system.remove(file.path);
    if (status.ok()) return false;
    if (status.code() != Code::kNotFound && first.ok()) first = std::move(status);
    return true;
  });
  return first;
}

}  // namespace

Result<PruneReport> CheckpointDirectory::prune(std::uint64_t keep_last,
                                               const PruneOptions& options) const {
  if (keep_last == 0) {
    return make_error(Code::kInvalidArgument, "prune would keep no checkpoint")
        .file(folder_)
        .expected("at least 1 to keep")
        .found(keep_last);
  }
  if (options.threads < 0) {
    return make_error(Code::kInvalidArgument, "a negative number of threads").file(folder_);
  }
  INGOT_ASSIGN_OR_RETURN(const std::vector<CheckpointFile> files, list());
  Triage triage(keep_last, options);
  INGOT_RETURN_IF_ERROR(triage.run(files, file_system_));
  PruneReport& report = triage.report();
  if (options.dry_run || report.removed.empty()) return std::move(report);

  io::FileSystem& file_system = io::or_posix(file_system_);
  const Status removed = remove_all(file_system, &report.removed);
  const Status synced = file_system.sync_folder(folder_.empty() ? "." : folder_);
  INGOT_RETURN_IF_ERROR(removed);
  INGOT_RETURN_IF_ERROR(synced);
  return std::move(report);
}

}  // namespace ingot
