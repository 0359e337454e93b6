// Writers of one name at the same time, in threads and in processes, dead and alive.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <barrier>
#include <csignal>
#include <thread>

#include "io/sibling.h"
#include "tests/io/atomic_testing.h"

namespace ingot::io {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class AtomicFileRace : public ::testing::TestWithParam<AtomicPlace> {
 protected:
  static constexpr unsigned kWriters = 4;
  static constexpr unsigned kRounds = 50;

  // Every writer publishes pattern(5000, its number); their statuses.
  static std::array<Status, kWriters> race(AtomicWorld& world, const AtomicFile::Options& options) {
    std::array<Status, kWriters> statuses;
    std::barrier start(kWriters);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kWriters; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        statuses[i] = world.publish(pattern(5000, i), options);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return statuses;
  }
};

TEST_P(AtomicFileRace, WithoutReplacingOneWins) {
  for (unsigned round = 0; round < kRounds; ++round) {
    AtomicWorld world(GetParam());
    const auto statuses = race(world, {.replace = false, .durable = false});
    unsigned winners = 0;
    for (unsigned i = 0; i < kWriters; ++i) {
      if (statuses[i].ok()) {
        ++winners;
        EXPECT_EQ(world.content(), pattern(5000, i));
      } else {
        EXPECT_EQ(statuses[i].code(), Code::kAlreadyExists) << statuses[i].to_string();
      }
    }
    EXPECT_EQ(winners, 1U);
    EXPECT_THAT(world.names(), SizeIs(1));
  }
}

TEST_P(AtomicFileRace, WithReplacingAllWinAndOneIsLast) {
  AtomicWorld world(GetParam());
  for (unsigned round = 0; round < kRounds; ++round) {
    for (const Status& status : race(world, {.replace = true, .durable = false})) {
      EXPECT_OK(status);
    }
    const auto content = world.content();
    int equal = 0;
    for (unsigned i = 0; i < kWriters; ++i) equal += content == pattern(5000, i) ? 1 : 0;
    EXPECT_EQ(equal, 1) << "a mixture";
    EXPECT_THAT(world.names(), SizeIs(1));
  }
}

INSTANTIATE_TEST_SUITE_P(Places, AtomicFileRace,
                         ::testing::Values(AtomicPlace::kMemoryUnnamed, AtomicPlace::kMemorySibling,
                                           AtomicPlace::kDiskUnnamed, AtomicPlace::kDiskSibling),
                         [](const auto& tested) { return atomic_place_name(tested.param); });

// A process with an AtomicFile that is not published; it lives until kill().
class OtherWriter {
 public:
  explicit OtherWriter(AtomicWorld& world) {
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe(ready.data()), 0);
    child_ = ::fork();
    if (child_ == 0) hold(world, ready[1]);
    ::close(ready[1]);
    char answer = 'n';
    EXPECT_EQ(::read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    ::close(ready[0]);
  }
  ~OtherWriter() { kill(); }
  OtherWriter(const OtherWriter&) = delete;
  OtherWriter& operator=(const OtherWriter&) = delete;

  void kill() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }

 private:
  [[noreturn]] static void hold(AtomicWorld& world, int ready) {
    auto file = world.create();
    const bool good = file.ok() && write_all(file->file(), 0, pattern(5000)).ok();
    static_cast<void>(!::write(ready, good ? "y" : "n", 1));
    while (true) ::pause();
  }

  pid_t child_ = 0;
};

TEST(StaleSiblings, OfAKilledWriterAreReclaimedAndOfALiveOneNot) {
  AtomicWorld world(AtomicPlace::kDiskSibling);
  OtherWriter other(world);
  ASSERT_THAT(world.names(), SizeIs(1));
  const std::string sibling = world.names().front();
  EXPECT_TRUE(is_sibling("model", sibling));
  { ASSERT_OK_AND_ASSIGN(AtomicFile file, world.create()); }
  EXPECT_EQ(world.names(), std::vector<std::string>{sibling}) << "it is alive";
  other.kill();
  { ASSERT_OK_AND_ASSIGN(AtomicFile file, world.create()); }
  EXPECT_THAT(world.names(), IsEmpty());
}

TEST(StaleSiblings, UnnamedFilesHaveNone) {
  AtomicWorld world(AtomicPlace::kDiskUnnamed);
  OtherWriter other(world);
  EXPECT_THAT(world.names(), IsEmpty());
  other.kill();
  EXPECT_THAT(world.names(), IsEmpty());
}

TEST(StaleSiblings, FilesOfOtherNamesStay) {
  AtomicWorld world(AtomicPlace::kMemoryUnnamed);
  const std::vector<std::string> others = {".model.tmp.0123456789abcde", ".model.tmp.notes",
                                           ".model2.tmp.0123456789abcdef", "model.tmp"};
  for (const std::string& name : others) world.put(name, pattern(10));
  world.put(".model.tmp.0123456789abcdef", pattern(10));
  { ASSERT_OK_AND_ASSIGN(AtomicFile file, world.create()); }
  EXPECT_THAT(world.names(), ::testing::UnorderedElementsAreArray(others));
}

}  // namespace
}  // namespace ingot::io
