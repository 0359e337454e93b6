// The host's copy queues: at once, as late as allowed, or on a thread.
#pragma once

#include <cstdint>
#include <memory>

#include "ingot/device.h"

namespace ingot::loader {

// kInvalidArgument when no device would make this copy.
Status check(const Copy& copy);
// Makes a copy between two ranges of host memory.
void perform(const Copy& copy);

std::unique_ptr<CopyQueue> make_eager_queue();
std::unique_ptr<CopyQueue> make_deferred_queue();
// kResourceExhausted when the system has no thread.
Result<std::unique_ptr<CopyQueue>> make_threaded_queue(std::uint64_t seed);

}  // namespace ingot::loader
