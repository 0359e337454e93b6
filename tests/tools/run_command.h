// Runs the built `ingot` command as a shell would.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::testing {

struct CommandResult {
  int exit = -1;   // exit status, or -1 when a signal ended it
  int signal = 0;  // that signal
  std::uint64_t peak_rss_bytes = 0;
  std::string out;
  std::string err;
};

struct RunOptions {
  std::vector<std::string> environment = {};  // "NAME=value", added to a small fixed one
  bool close_stdout = false;
  bool break_stdout = false;   // a pipe whose reader has gone
  std::string stdout_to = {};  // a file instead of a pipe
  std::string folder = {};     // working folder; empty: as it is
  bool terminal = false;   // standard output and error are one terminal; both come back in `out`
  int pending_signal = 0;  // arrives as soon as the command listens
};

CommandResult run_ingot(const std::vector<std::string>& arguments, const RunOptions& options = {});

}  // namespace ingot::testing
