// A few threads for the length of one call.
#pragma once

namespace ingot::writer {

// Runs work(context) on `threads` threads at once, the caller's own among them, and returns when
// all have returned. Where the system refuses more threads, fewer run: `work` must share out what
// there is to do by itself.
void run_on_threads(int threads, void (*work)(void* context), void* context);

// Processors that this process may run on, at least 1.
int available_threads();

}  // namespace ingot::writer
