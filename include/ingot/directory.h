// A directory of checkpoints of one run, one file a step: find the newest that is intact, delete
// old ones without ever deleting what a resumed run needs.
//
//   const ingot::CheckpointDirectory run("runs/7");
//   ... Writer::create(run.path_for(1000), plan) ...        // runs/7/step-00000000001000.ingot
//   INGOT_ASSIGN_OR_RETURN(auto newest, run.newest());      // to resume from: newest.checkpoint
//   INGOT_ASSIGN_OR_RETURN(auto report, run.prune(3));      // keeps three that verify
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/progress.h"
#include "ingot/status.h"
#include "ingot/verify.h"

namespace ingot {

namespace io {
class FileSystem;
}

// A file whose name is that of a checkpoint; what is in it is not known.
struct CheckpointFile {
  std::uint64_t step = 0;
  std::string path;

  friend bool operator==(const CheckpointFile&, const CheckpointFile&) = default;
};

// A checkpoint that did not verify, and why.
struct DamagedCheckpoint {
  std::uint64_t step = 0;
  std::string path;
  Status status;
};

struct NewestOptions {
  // How thoroughly a checkpoint is proven before it counts as good. kFull reads all of its bytes.
  VerifyLevel level = VerifyLevel::kFull;
  Limits limits = {};
  int threads = 0;                     // 0: as many as the process may run on
  ProgressCallback progress = {};      // of the file that is being verified: starts over with each
  const CancelFlag* cancel = nullptr;  // looked at before each file, and within
};

struct NewestCheckpoint {
  std::uint64_t step = 0;
  std::string path;
  // Open: the very file that was verified, also when another process deletes it meanwhile.
  Checkpoint checkpoint;
  std::vector<DamagedCheckpoint> skipped;  // newer ones, newest first
  VerifyLevel level = VerifyLevel::kFull;  // how thoroughly it was proven
};

struct PruneOptions {
  VerifyLevel level = VerifyLevel::kFull;
  Limits limits = {};
  int threads = 0;
  ProgressCallback progress = {};      // as above
  const CancelFlag* cancel = nullptr;  // looked at until the first file is deleted
  // Deletes also what is proven damaged (kTruncated, kCorrupt, kChecksumMismatch) and older than a
  // good checkpoint. What fails otherwise (an I/O error, a newer version) always stays.
  bool remove_damaged = false;
  bool dry_run = false;  // deletes nothing: `removed` says what would go
};

struct PruneReport {
  std::vector<CheckpointFile> kept;        // that verify, ascending by step
  std::vector<CheckpointFile> removed;     // oldest first
  std::vector<DamagedCheckpoint> damaged;  // ascending by step; those deleted are in `removed` too
};

// A folder's path and how to reach it: a plain value. All functions may be called from any thread,
// and block for as long as listing and verifying take; verification has its own threads, which end
// before a call returns.
//
// Any number of processes may read the directory while one saves new steps. Two that prune at once
// do not harm each other. But nobody should save under the name of a step that is there already
// while another prunes: what is deleted could be what has just been saved.
class CheckpointDirectory {
 public:
  // `file_system` is internal: Ingot's own tests put a double there, and its class is in no
  // installed header. Null is the operating system. It must outlive the directory and all
  // checkpoints opened through it.
  explicit CheckpointDirectory(std::string folder, io::FileSystem* file_system = nullptr)
      : folder_(std::move(folder)), file_system_(file_system) {}

  const std::string& folder() const { return folder_; }

  // "FOLDER/step-00000000001000.ingot": 14 digits, so that names sort as steps do (a step above
  // 10^14 - 1 has more, and is still found).
  std::string path_for(std::uint64_t step) const;
  // The step in such a name (without its folder), with any number of digits; nullopt for all else:
  // other files, a writer's temporaries, a number above 2^64 - 1.
  static std::optional<std::uint64_t> step_of(std::string_view name);

  // Ascending by step. Names with other numbers of digits are found too; of two with the same step
  // the longer name comes last, and so counts as newer. kNotFound when there is no folder,
  // kIoError.
  Result<std::vector<CheckpointFile>> list() const;

  // The newest checkpoint that verifies. Newer ones that do not are skipped and reported, whatever
  // the reason: damage, an I/O error, a newer version, a file that another process just deleted.
  // kNotFound when there is none; kCorrupt when there are some and none verifies (the message says
  // how many, and why the newest does not): a run must not start over on top of them;
  // kCancelled, kInvalidArgument (threads), and the errors of list().
  Result<NewestCheckpoint> newest(const NewestOptions& options = {}) const;

  // Keeps the newest `keep_last` checkpoints that verify and deletes older ones that verify, oldest
  // first, then syncs the folder. So a crash at any moment leaves at least `keep_last` newest ones,
  // and as long as there are fewer good ones than that, none is deleted. Damaged ones never count
  // as good; they stay and are reported unless `remove_damaged`.
  //
  // Verifies every checkpoint there is: with VerifyLevel::kFull it reads the whole directory.
  // kInvalidArgument when keep_last is 0, or threads negative; kCancelled, errors of list(): then
  // nothing was deleted. When a file cannot be deleted the others are all the same, and the first
  // error is returned; kIoError also when the folder could not be synced, and deleted files may be
  // back after a power cut. list() tells what is there.
  Result<PruneReport> prune(std::uint64_t keep_last, const PruneOptions& options = {}) const;

 private:
  std::string folder_;
  io::FileSystem* file_system_;
};

}  // namespace ingot
