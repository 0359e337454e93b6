// A few threads for the length of one call.
#pragma once

namespace ingot {

// Processors that this process may run on; at least 1.
int available_threads();

// Calls work(context, i) for i = 0, 1, … each on a thread of its own, 0 on the caller's, and
// returns when all have returned. Returns how many there were: fewer than `count` when the system
// has no more threads, never fewer than 1.
int run_on_threads(int count, void (*work)(void* context, int i), void* context);

}  // namespace ingot
