// Runs the built `ingot` command as a shell would.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace ingot::testing {

struct CommandResult {
  int exit = -1;   // exit status, or -1 when a signal ended it
  int signal = 0;  // that signal
  std::string out;
  std::string err;
};

struct RunOptions {
  std::vector<std::string> environment;  // "NAME=value", added to a small fixed one
  bool close_stdout = false;
  std::string stdout_to;  // a file instead of a pipe
  std::string folder;     // working folder; empty: as it is
};

CommandResult run_ingot(const std::vector<std::string>& arguments, const RunOptions& options = {});

// A run that is not waited for: send it signals, then wait().
class RunningCommand {
 public:
  explicit RunningCommand(const std::vector<std::string>& arguments);
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;
  pid_t pid() const { return pid_; }
  void send(int signal) const;
  CommandResult wait();  // once

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
};

}  // namespace ingot::testing
