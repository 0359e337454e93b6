// Killed processes: SIGKILL before every system call of a save, and at every progress report of one
// through the real queue. The name holds the old file or the new one; the next save clears up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "../support/scratch.h"
#include "../support/status_matchers.h"
#include "forwarding.h"
#include "io/fault_file_system.h"
#include "io/sibling.h"
#include "model.h"

namespace ingot::testing {
namespace {

using writer::Session;
using writer::Tuning;

// No O_TMPFILE: temporaries have names.
class NamedTemporaries final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  Result<std::unique_ptr<io::File>> create_unnamed(std::string_view) override {
    return Status(Code::kUnsupported, "no O_TMPFILE");
  }
};

Content read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return {Bytes(as_bytes(text)).begin(), Bytes(as_bytes(text)).end()};
}

void write_file(const std::string& path, const Content& content) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size()));
}

// The place where a child stops and waits for its end.
class Stop {
 public:
  Stop() { EXPECT_EQ(pipe(ends_.data()), 0); }
  ~Stop() {
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;

  // In the child: says that it is there; does not return.
  void here() const {
    const char byte = 's';
    while (write(ends_[1], &byte, 1) != 1) {
    }
    while (true) pause();
  }
  // In the child: says that it came to its end.
  [[noreturn]] void finished() const {
    const char byte = 'f';
    static_cast<void>(!write(ends_[1], &byte, 1));
    _exit(0);
  }
  // In the parent: waits for either, then kills. Whether the child was stopped before its end.
  bool kill_there(pid_t child) {
    close(std::exchange(ends_[1], -1));  // a child that dies by itself ends the read
    char byte = 0;
    EXPECT_EQ(read(ends_[0], &byte, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return byte == 's';
  }

 private:
  std::array<int, 2> ends_{};
};

class Killed : public ::testing::Test {
 protected:
  void use(Model old_model, Model new_model) {
    old_file_ = saved(old_model);
    new_model_ = std::move(new_model);
    new_file_ = saved(new_model_);
  }

  // Runs `save` in a child that ends at its stop. False when the child came to its end.
  bool kill_at(const std::function<void(const Stop&)>& save) {
    write_file(path_, old_file_);
    Stop stop;
    const pid_t child = fork();
    if (child == 0) {
      save(stop);
      stop.finished();
    }
    const bool stopped = stop.kill_there(child);
    expect_old_or_new(stopped);
    return stopped;
  }

  void expect_old_or_new(bool stopped) {
    const Content found = read_file(path_);
    const bool is_new = found == new_file_;
    EXPECT_TRUE(is_new || (stopped && found == old_file_));
    (is_new ? new_ : old_) += 1;
    for (const std::string& name : names()) {
      EXPECT_TRUE(name == "model.ingot" || io::is_sibling(path_, name)) << name;
    }
    EXPECT_OK(save(path_, new_model_, {}));
    EXPECT_EQ(names(), std::vector<std::string>{"model.ingot"});
    EXPECT_EQ(read_file(path_), new_file_);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.folder())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  // Saves in small writes through `file_system`.
  void save_slowly(io::FileSystem& file_system) const {
    WriterOptions options = options_on(file_system);
    options.staging_bytes = 128 << 10;
    const Tuning tuning{
        .slot_bytes = 16384, .queue = io::QueueKind::kSynchronous, .synchronous_bytes = 0};
    auto session = Session::create(path_, new_model_.plan, options, tuning);
    if (!session.ok() || !write_all(**session, new_model_).ok()) return;
    static_cast<void>((*session)->commit());
  }

  const Scratch scratch_;
  const std::string path_ = scratch_.path("model.ingot");
  Model new_model_;
  Content old_file_;
  Content new_file_;
  int old_ = 0;
  int new_ = 0;
};

// Every call that reaches the operating system is a place to die at.
TEST_F(Killed, BeforeEverySystemCall) {
  use(uniform_model(12, 20'000), uniform_model(30, 20'000));
  for (const bool named : {false, true}) {
    bool stopped = true;
    for (std::uint64_t n = 0; stopped && n < 1000; ++n) {
      stopped = kill_at([&](const Stop& stop) {
        ForwardingFileSystem real(io::posix());
        io::FaultFileSystem counted(real);
        counted.set_observer([&](std::uint64_t number, io::Call, const std::string&) {
          if (number == n) stop.here();
        });
        NamedTemporaries without_unnamed(counted);
        save_slowly(named ? static_cast<io::FileSystem&>(without_unnamed) : counted);
      });
    }
    EXPECT_FALSE(stopped);
  }
  EXPECT_GT(old_, 80);  // cuts before the name changes
  EXPECT_GT(new_, 2);   // and after
  std::printf("%d killed with the old file there, %d with the new one\n", old_, new_);
}

struct StopAtReport {
  const Stop* stop;
  int reports_left;
};

// Through io_uring or what the machine has, O_DIRECT where it is to be had.
TEST_F(Killed, AtEveryProgressReport) {
  use(uniform_model(3, 60'000), uniform_model(50, 60'001));
  bool stopped = true;
  for (int n = 0; stopped && n < 1000; ++n) {
    stopped = kill_at([&](const Stop& stop) {
      StopAtReport at{&stop, n};
      WriterOptions options;
      options.staging_bytes = 1 << 20;
      options.progress.context = &at;
      options.progress.function = [](void* context, std::uint64_t, std::uint64_t) {
        auto& here = *static_cast<StopAtReport*>(context);
        if (here.reports_left-- == 0) here.stop->here();
      };
      const Tuning tuning{.slot_bytes = 32 << 10, .direct_bytes = 0, .synchronous_bytes = 0};
      auto session = Session::create(path_, new_model_.plan, options, tuning);
      if (!session.ok() || !write_all(**session, new_model_).ok()) return;
      static_cast<void>((*session)->commit());
    });
  }
  EXPECT_FALSE(stopped);
  EXPECT_GT(old_, 80);
  std::printf("%d killed with the old file there, %d with the new one\n", old_, new_);
}

}  // namespace
}  // namespace ingot::testing
