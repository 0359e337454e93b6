// Progress bars, on a terminal of our own.
#include "tools/cli/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

namespace ingot::tools {
namespace {

// A pseudo-terminal: what is written to the one end is read from the other.
class Terminal {
 public:
  Terminal() : reader_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    ::grantpt(reader_);
    ::unlockpt(reader_);
    writer_ = ::open(::ptsname(reader_), O_RDWR | O_NOCTTY);
  }
  ~Terminal() {
    ::close(reader_);
    ::close(writer_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  int writer() const { return writer_; }

  // Blocks until all of `texts` were written, in any order.
  std::string read_until(const std::vector<std::string>& texts) const {
    std::string seen;
    const auto is_there = [&](const std::string& text) {
      return seen.find(text) != std::string::npos;
    };
    while (!std::all_of(texts.begin(), texts.end(), is_there)) {
      char buffer[512];
      const ssize_t got = ::read(reader_, buffer, sizeof buffer);
      if (got <= 0) break;
      seen.append(buffer, static_cast<std::size_t>(got));
    }
    return seen;
  }

 private:
  int reader_;
  int writer_;
};

// Runs `work` in a child whose standard error is the terminal; its exit code, or -1.
template <typename Work, typename Meanwhile>
int on_terminal(const Terminal& terminal, Work work, Meanwhile meanwhile) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(terminal.writer(), STDERR_FILENO);
    std::_Exit(work());
  }
  meanwhile(child);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Progress, IsDrawnOnATerminal) {
#if !INGOT_HAVE_BARKEEP
  GTEST_SKIP() << "built without barkeep";
#endif
  const Terminal terminal;
  std::string seen;
  on_terminal(
      terminal,
      [] {
        const Console console{CommonOptions{}};
        Progress progress(console, "Verifying");
        while (true) progress.callback()(500'000'000, 2'000'000'000);  // until it is killed
        return 0;
      },
      [&](pid_t child) {
        seen = terminal.read_until({"Verifying", "25.0 %", "0.50/2.00 GB"});
        ::kill(child, SIGKILL);
      });
  EXPECT_NE(seen.find("Verifying"), std::string::npos);
}

TEST(Progress, OnlyThereAndOnlyWhenNobodyAskedForSilence) {
  const Terminal terminal;
  const auto shows = [&](const CommonOptions& options) {
    return on_terminal(
        terminal, [&] { return Console(options).shows_progress() ? 1 : 0; }, [](pid_t) {});
  };
  EXPECT_EQ(shows({}), 1);
  EXPECT_EQ(shows({.quiet = true}), 0);
  EXPECT_EQ(shows({.json = true}), 0);
}

TEST(Progress, NotInAFile) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
    std::_Exit(Console(CommonOptions{}).shows_progress() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ingot::tools
