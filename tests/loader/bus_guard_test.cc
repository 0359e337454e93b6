// The SIGBUS guard. Each case runs in a process of its own: the handler is the process's.
#include "ingot/bus_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "ingot/verify.h"

#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

// Sanitizers answer SIGBUS themselves unless told otherwise; here it is the subject.
// NOLINTBEGIN(bugprone-reserved-identifier): these are the names that they look for.
extern "C" const char* __asan_default_options() { return "handle_sigbus=0"; }
extern "C" const char* __tsan_default_options() { return "handle_sigbus=0"; }
// NOLINTEND(bugprone-reserved-identifier)

namespace ingot::testing {
namespace {

// gtest runs a death test's statement in a child; these children end well, with code 0.
#define EXPECT_ENDS_WELL(statement)  \
  EXPECT_EXIT(                       \
      {                              \
        statement;                   \
        _exit(HasFailure() ? 1 : 0); \
      },                             \
      ::testing::ExitedWithCode(0), "")

class BusGuardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::testing::FLAGS_gtest_death_test_style = "fast";
    ASSERT_OK(write_sample(path_, plan_));
    checkpoint_ = std::make_unique<Checkpoint>(*Checkpoint::open(path_));
  }
  TensorView view(std::string_view name) { return *checkpoint_->tensor(name); }
  void truncate() { std::filesystem::resize_file(path_, 4096); }
  static bool all_zero(std::span<const std::byte> bytes) {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
  }

  const WritePlan plan_ = mixed_plan();
  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
  std::unique_ptr<Checkpoint> checkpoint_;
};

TEST_F(BusGuardTest, WithoutItAFaultEndsTheProcess) {
  const TensorView tensor = view("adam/exp_avg");
  truncate();
  EXPECT_EXIT(_exit(all_zero(tensor.bytes)), ::testing::KilledBySignal(SIGBUS), "");
}

TEST_F(BusGuardTest, AnswersWithZerosAndCounts) {
  EXPECT_ENDS_WELL({
    const BusGuard guard = *BusGuard::install();
    const TensorView tensor = view("adam/exp_avg");
    truncate();
    EXPECT_EQ(BusGuard::faults(), 0U);
    EXPECT_TRUE(all_zero(tensor.bytes));
    const std::uint64_t pages = (tensor.bytes.size() + 4095) / 4096;
    EXPECT_EQ(BusGuard::faults(), pages);
    EXPECT_TRUE(all_zero(tensor.bytes));  // the pages stay
    EXPECT_EQ(BusGuard::faults(), pages);
  });
}

TEST_F(BusGuardTest, CopyOnWriteViewsMayBeWritten) {
  EXPECT_ENDS_WELL({
    const BusGuard guard = *BusGuard::install();
    const MutableTensorView tensor = *checkpoint_->mutable_view(*checkpoint_->find("packed"));
    truncate();
    std::ranges::fill(tensor.bytes, std::byte{7});
    EXPECT_GT(BusGuard::faults(), 0U);
    EXPECT_EQ(tensor.bytes.front(), std::byte{7});
  });
}

TEST_F(BusGuardTest, FaultsElsewhereStayFatal) {
  const std::string other = scratch_.path("other");
  write_file(other, noise(8192, 1));
  std::FILE* file = std::fopen(other.c_str(), "r");
  void* map = ::mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE, ::fileno(file), 0);
  std::filesystem::resize_file(other, 0);
  EXPECT_EXIT(
      {
        const BusGuard guard = *BusGuard::install();
        _exit(*static_cast<volatile char*>(map));
      },
      ::testing::KilledBySignal(SIGBUS), "");
  ::munmap(map, 8192);
  std::fclose(file);
}

void exit_with_42(int) { _exit(42); }

TEST_F(BusGuardTest, FaultsElsewhereGoToThePreviousHandler) {
  EXPECT_EXIT(
      {
        ::signal(SIGBUS, exit_with_42);
        const BusGuard guard = *BusGuard::install();
        ::raise(SIGBUS);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST_F(BusGuardTest, LetsVerificationHashMappedPages) {
  EXPECT_ENDS_WELL({
    EXPECT_EQ(verify(*checkpoint_)->path, ReadPath::kRead);
    const BusGuard guard = *BusGuard::install();
    const Result<VerifyReport> whole = verify(*checkpoint_);
    EXPECT_EQ(whole->path, ReadPath::kMapping);
    EXPECT_TRUE(whole->intact());
    truncate();
    const Result<VerifyReport> cut = verify(*checkpoint_);
    EXPECT_FALSE(cut.ok() && cut->intact());
  });
}

TEST_F(BusGuardTest, OneAtATime) {
  EXPECT_ENDS_WELL({
    std::optional<BusGuard> guard = *BusGuard::install();
    EXPECT_THAT(BusGuard::install(), StatusIs(Code::kAlreadyExists));
    guard.reset();
    EXPECT_OK(BusGuard::install());
  });
}

TEST_F(BusGuardTest, PutsThePreviousHandlerBack) {
  EXPECT_EXIT(
      {
        ::signal(SIGBUS, exit_with_42);
        { const BusGuard guard = *BusGuard::install(); }
        ::raise(SIGBUS);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST_F(BusGuardTest, ASentSignalStillEndsTheProcess) {
  EXPECT_EXIT(
      {
        const BusGuard guard = *BusGuard::install();
        ::raise(SIGBUS);
        _exit(0);
      },
      ::testing::KilledBySignal(SIGBUS), "");
}

struct sigaction below;  // of a handler that passes on what it gets
void pass_down(int signal, siginfo_t* info, void* context) {
  below.sa_sigaction(signal, info, context);
}

// A crash reporter, say, that came later and stays longer.
TEST_F(BusGuardTest, StaysInAChainThatOthersKeep) {
  EXPECT_ENDS_WELL({
    std::optional<BusGuard> guard = *BusGuard::install();
    struct sigaction later = {};
    later.sa_sigaction = pass_down;
    later.sa_flags = SA_SIGINFO;
    ::sigaction(SIGBUS, &later, &below);
    guard.reset();
    guard.emplace(*BusGuard::install());
    const TensorView tensor = view("adam/exp_avg");
    truncate();
    EXPECT_TRUE(all_zero(tensor.bytes));
    EXPECT_GT(BusGuard::faults(), 0U);
  });
}

// Verification of a mapping that lost its pages after they were populated.
TEST_F(BusGuardTest, VerifyReportsFaults) {
  EXPECT_ENDS_WELL({
    const BusGuard guard = *BusGuard::install();
    const TensorView tensor = view("adam/exp_avg");
    struct Truncate {
      std::string path;
      static void call(void* context, std::uint64_t, std::uint64_t) {
        std::filesystem::resize_file(static_cast<Truncate*>(context)->path, 4096);
      }
    } truncate{path_};
    const auto report = verify(*checkpoint_, {.path = ReadPath::kMapping,
                                              .threads = 1,
                                              .keep_going = true,
                                              .progress = {&Truncate::call, &truncate}});
    EXPECT_OK(report);
    EXPECT_FALSE(report->intact());
  });
}

}  // namespace
}  // namespace ingot::testing
