// Runs a function in a child process: for limits and filters that cannot be taken back.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace ingot::io {

// What `function` returned, 0 to 255, or -1 when the child died of a signal or cannot be made.
template <typename Function>
int in_child(Function function) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(function());
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace ingot::io
