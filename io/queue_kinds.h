// The kinds of Queue, for open_queue() to choose from. Private to io.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ingot/status.h"

#include "io/queue.h"

namespace ingot::io {

// kUnsupported, with errno where the kernel refused, when io_uring is not to be had.
Result<std::unique_ptr<Queue>> open_uring_queue(std::uint32_t depth);

// Worker threads that end with the queue. kResourceExhausted when there can be none.
Result<std::unique_ptr<Queue>> open_thread_queue(std::uint32_t depth, std::string reason);

// Does the whole transfer within submit().
std::unique_ptr<Queue> make_synchronous_queue(std::uint32_t depth, std::string reason);

// The transfer by plain calls; blocks.
Status perform(const Transfer& transfer);

// The check of Queue::submit() that all kinds share.
Status check_room(const Queue& queue);
Status check_in_flight(const Queue& queue);

}  // namespace ingot::io
