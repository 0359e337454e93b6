// Resuming from a directory of checkpoints.
#include "ingot/directory.h"

#include "libtorch/error.h"

namespace ingot::libtorch {

NewestCheckpoint newest(const std::string& folder, const NewestOptions& options) {
  return take(CheckpointDirectory(folder).newest(options));
}

LoadReport load(const NewestCheckpoint& newest, const TrainingState& state,
                const LoadOptions& options) {
  LoadOptions as_proven = options;
  if (newest.level == VerifyLevel::kFull && options.proof == Proof::kBefore) {
    as_proven.proof = Proof::kDuring;
  }
  return load(newest.checkpoint, state, as_proven);
}

}  // namespace ingot::libtorch
