// A second description of a checkpoint's file, past the page cache.
#pragma once

#include <memory>

#include "ingot/status.h"

#include "io/file.h"
#include "loader/checkpoint_state.h"

namespace ingot::loader {

// kUnsupported, with the reason, where there is no O_DIRECT, or one that asks for a coarser
// alignment than the format has.
Result<std::unique_ptr<io::File>> open_direct(const Checkpoint::State& state);

}  // namespace ingot::loader
