// Opens a checkpoint and proves it, in one step: what a directory calls good.
#pragma once

#include "ingot/checkpoint.h"
#include "ingot/verify.h"

namespace ingot::loader {

struct VerifiedOpenOptions {
  OpenOptions open;
  VerifyOptions verify;
};

// The open checkpoint, or the first reason why it is not good. kCancelled alone says nothing of the
// file.
Result<Checkpoint> open_verified(const std::string& path, const VerifiedOpenOptions& options);

// From the options of a directory's functions, which have the same fields.
template <typename Options>
VerifiedOpenOptions verified_open_options(const Options& options, io::FileSystem* file_system) {
  return {.open = {.limits = options.limits, .file_system = file_system},
          .verify = {.level = options.level,
                     .threads = options.threads,
                     .progress = options.progress,
                     .cancel = options.cancel}};
}

}  // namespace ingot::loader
