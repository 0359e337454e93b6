#include "tests/tools/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace ingot::testing {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  return {ends[0], ends[1]};
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& s : strings) result.push_back(s.data());
  result.push_back(nullptr);
  return result;
}

pid_t start(const std::vector<std::string>& arguments, const RunOptions& options, int out,
            int err) {
  std::vector<std::string> words = {INGOT_COMMAND};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "TERM=xterm", "LC_ALL=C.UTF-8"};
  environment.insert(environment.end(), options.environment.begin(), options.environment.end());
  // Sanitizers take their options from the environment.
  for (const char* name : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = ::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  std::vector<char*> argv = pointers(words);
  std::vector<char*> envp = pointers(environment);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  // The child: calls that are safe between fork and exec, and no others.
  if (options.pending_signal != 0) {
    // Blocked signals stay pending over exec; the command unblocks those that it handles.
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, options.pending_signal);
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
    ::raise(options.pending_signal);
  }
  if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) ::_exit(126);
  if (!options.stdout_to.empty()) {
    out = ::open(options.stdout_to.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  }
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (options.close_stdout) ::close(STDOUT_FILENO);
  ::execve(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

// Reads both until both end, so that neither fills up and blocks the child.
void drain(int out, int err, CommandResult& result) {
  std::array<pollfd, 2> ends = {pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  std::array<std::string*, 2> texts = {&result.out, &result.err};
  // poll() ignores negative descriptors.
  for (int open = (out < 0 ? 0 : 1) + (err < 0 ? 0 : 1); open > 0;) {
    if (::poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      std::array<char, 65536> buffer;
      const ssize_t count = ::read(ends[i].fd, buffer.data(), buffer.size());
      if (count > 0) {
        texts[i]->append(buffer.data(), static_cast<std::size_t>(count));
      } else {
        ends[i].fd = -1;
        --open;
      }
    }
  }
  if (out >= 0) ::close(out);
  if (err >= 0) ::close(err);
}

void reap(pid_t pid, CommandResult& result) {
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  result.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  if (WIFEXITED(status)) result.exit = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
}

CommandResult run_on_terminal(const std::vector<std::string>& arguments,
                              const RunOptions& options) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0) {
    throw std::runtime_error("no terminal");
  }
  const int slave = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  const winsize size{.ws_row = 40, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  ::ioctl(slave, TIOCSWINSZ, &size);
  const pid_t pid = start(arguments, options, slave, slave);
  ::close(slave);
  CommandResult result;
  drain(terminal, -1, result);
  reap(pid, result);
  return result;
}

}  // namespace

CommandResult run_ingot(const std::vector<std::string>& arguments, const RunOptions& options) {
  if (options.terminal) return run_on_terminal(arguments, options);
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  if (options.break_stdout) ::close(out.read);
  const pid_t pid = start(arguments, options, out.write, err.write);
  ::close(out.write);
  ::close(err.write);
  CommandResult result;
  drain(options.break_stdout ? -1 : out.read, err.read, result);
  reap(pid, result);
  return result;
}

}  // namespace ingot::testing
