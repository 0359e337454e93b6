// What every kind of queue promises, over real files and over files without descriptors.
#include <cerrno>
#include <map>

#include "io/aligned_buffer.h"
#include "io/queue.h"
#include "tests/io/io_testing.h"

namespace ingot::io {
namespace {

using ::ingot::testing::StatusIs;
using ::testing::HasSubstr;

struct Tested {
  QueueKind kind;
  PlaceKind place;
};

class QueueContract : public ::testing::TestWithParam<Tested> {
 protected:
  static constexpr std::uint32_t kDepth = 4;

  void SetUp() override {
    if (!place_.available()) GTEST_SKIP() << "there is no such place on this machine";
    auto queue = open_queue({.kind = GetParam().kind,
                             .depth = kDepth,
                             .has_descriptors = place_.files().has_descriptors()});
    if (queue.status().code() == Code::kUnsupported) GTEST_SKIP() << queue.status().to_string();
    ASSERT_OK(queue);
    queue_ = *std::move(queue);
  }

  std::unique_ptr<File> create(std::string_view name, Bytes content = {}) {
    return create_file(place_.files(), place_.path(name), content);
  }
  std::vector<std::byte> content(std::string_view name) {
    return content_of(place_.files(), place_.path(name));
  }
  Status read(File& file, std::uint64_t offset, MutableBytes memory, std::uint64_t token = 0) {
    return queue_->submit(
        {Transfer::Op::kRead, &file, offset, memory.data(), memory.size(), token});
  }
  Status write(File& file, std::uint64_t offset, MutableBytes memory, std::uint64_t token = 0) {
    return queue_->submit(
        {Transfer::Op::kWrite, &file, offset, memory.data(), memory.size(), token});
  }
  // Waits until nothing is in flight; the statuses by token.
  std::map<std::uint64_t, Status> drain() {
    std::map<std::uint64_t, Status> statuses;
    while (queue_->in_flight() > 0) {
      auto completion = queue_->wait();
      EXPECT_OK(completion);
      if (!completion.ok()) break;
      EXPECT_FALSE(statuses.contains(completion->token)) << "a token came twice";
      statuses[completion->token] = completion->status;
    }
    return statuses;
  }
  // Waits for one completion when the queue is full.
  void make_room() {
    if (queue_->in_flight() == queue_->depth()) {
      auto completion = queue_->wait();
      ASSERT_OK(completion);
      EXPECT_OK(completion->status);
    }
  }

  Place place_{GetParam().place};
  std::unique_ptr<Queue> queue_;
};

TEST_P(QueueContract, SaysWhatItIsAndWhy) {
  const QueueKind asked = GetParam().kind;
  EXPECT_TRUE(asked == QueueKind::kAuto || queue_->kind() == asked);
  EXPECT_NE(queue_->kind(), QueueKind::kAuto);
  EXPECT_THAT(std::string(queue_->reason()),
              HasSubstr(std::string(queue_kind_name(queue_->kind()))));
  EXPECT_EQ(queue_->depth(), kDepth);
  EXPECT_EQ(queue_->in_flight(), 0U);
}

TEST_P(QueueContract, ManyReads) {
  const auto bytes = pattern(64 * 1000 + 7);
  auto file = create("file", bytes);
  std::vector<std::byte> destination(bytes.size());
  for (std::size_t begin = 0; begin < bytes.size(); begin += 1000) {
    make_room();
    const std::size_t part = std::min<std::size_t>(1000, bytes.size() - begin);
    ASSERT_OK(read(*file, begin, MutableBytes(destination).subspan(begin, part), begin));
  }
  for (const auto& [token, status] : drain()) EXPECT_OK(status) << token;
  EXPECT_EQ(destination, bytes);
}

TEST_P(QueueContract, ManyWrites) {
  auto bytes = pattern(64 * 1000 + 7);
  auto file = create("file");
  for (std::size_t begin = 0; begin < bytes.size(); begin += 1000) {
    make_room();
    const std::size_t part = std::min<std::size_t>(1000, bytes.size() - begin);
    ASSERT_OK(write(*file, begin, MutableBytes(bytes).subspan(begin, part), begin));
  }
  for (const auto& [token, status] : drain()) EXPECT_OK(status) << token;
  EXPECT_EQ(content("file"), bytes);
}

TEST_P(QueueContract, EveryTokenComesBackOnce) {
  auto file = create("file", pattern(100));
  std::vector<std::byte> memory(kDepth * 10);
  for (std::uint64_t i = 0; i < kDepth; ++i) {
    ASSERT_OK(read(*file, i, MutableBytes(memory).subspan(i * 10, 10), ~i));
    EXPECT_EQ(queue_->in_flight(), i + 1);
  }
  const auto statuses = drain();
  ASSERT_EQ(statuses.size(), kDepth);
  for (std::uint64_t i = 0; i < kDepth; ++i) EXPECT_TRUE(statuses.contains(~i));
}

TEST_P(QueueContract, SeveralFilesAtOnce) {
  auto first = create("first", pattern(5000, 1));
  auto second = create("second", pattern(5000, 2));
  std::vector<std::byte> from_first(5000);
  std::vector<std::byte> from_second(5000);
  ASSERT_OK(read(*first, 0, from_first, 1));
  ASSERT_OK(read(*second, 0, from_second, 2));
  drain();
  EXPECT_EQ(from_first, pattern(5000, 1));
  EXPECT_EQ(from_second, pattern(5000, 2));
}

TEST_P(QueueContract, NoMoreThanItsDepth) {
  auto file = create("file", pattern(100));
  std::vector<std::byte> memory(100);
  for (std::uint32_t i = 0; i < kDepth; ++i) {
    ASSERT_OK(read(*file, i, MutableBytes(memory).subspan(i, 1), i));
  }
  EXPECT_THAT(read(*file, 50, MutableBytes(memory).subspan(50, 1), 9),
              StatusIs(Code::kInvalidArgument, HasSubstr("full")));
  EXPECT_EQ(drain().size(), kDepth);
}

TEST_P(QueueContract, NothingToWaitFor) {
  EXPECT_THAT(queue_->wait(), StatusIs(Code::kInvalidArgument));
}

TEST_P(QueueContract, TransfersOfNothing) {
  auto file = create("file");
  ASSERT_OK(read(*file, 1000, {}, 7));
  EXPECT_EQ(queue_->in_flight(), 1U);
  auto statuses = drain();
  EXPECT_OK(statuses[7]);
}

TEST_P(QueueContract, ReadsBehindTheEndAreTruncatedAndTheOthersAreNot) {
  auto file = create("file", pattern(5000));
  std::vector<std::byte> good(5000);
  std::vector<std::byte> bad(200);
  ASSERT_OK(read(*file, 4900, bad, 1));
  ASSERT_OK(read(*file, 0, good, 2));
  ASSERT_OK(read(*file, 10'000, MutableBytes(bad).first(0), 3));
  auto statuses = drain();
  EXPECT_THAT(statuses[1], StatusIs(Code::kTruncated, HasSubstr("bytes [4900, 5100)")));
  EXPECT_THAT(statuses[1], StatusIs(Code::kTruncated, HasSubstr("found 100")));
  EXPECT_OK(statuses[2]);
  EXPECT_OK(statuses[3]);
  EXPECT_EQ(good, pattern(5000));
}

TEST_P(QueueContract, FailuresKeepFileRangeAndErrno) {
  create("file", pattern(100));
  ASSERT_OK_AND_ASSIGN(auto file, place_.files().open(place_.path("file"), Access::kRead));
  auto bytes = pattern(50, 2);
  ASSERT_OK(write(*file, 10, bytes, 1));
  auto statuses = drain();
  EXPECT_THAT(statuses[1], StatusIs(Code::kIoError, HasSubstr("file")));
  EXPECT_EQ(statuses[1].os_error(), EBADF);
  EXPECT_EQ(content("file"), pattern(100));
}

TEST_P(QueueContract, GoesOnAfterFailures) {
  auto file = create("file", pattern(100));
  std::vector<std::byte> memory(100);
  for (int round = 0; round < 20; ++round) {
    for (std::uint64_t i = 0; i < kDepth; ++i) {
      ASSERT_OK(read(*file, 1000, MutableBytes(memory).subspan(i, 1), i));
    }
    for (const auto& [token, status] : drain()) EXPECT_THAT(status, StatusIs(Code::kTruncated));
  }
  ASSERT_OK(read(*file, 0, memory, 1));
  EXPECT_OK(drain()[1]);
  EXPECT_EQ(memory, pattern(100));
}

TEST_P(QueueContract, DestructionWaitsForWhatIsInFlight) {
  const auto bytes = pattern(std::size_t{1} << 20);
  auto file = create("file");
  std::vector<std::byte> memory = bytes;
  for (std::size_t i = 0; i < kDepth; ++i) {
    const std::size_t part = memory.size() / kDepth;
    ASSERT_OK(write(*file, i * part, MutableBytes(memory).subspan(i * part, part), i));
  }
  queue_.reset();
  std::ranges::fill(memory, std::byte{0});
  EXPECT_EQ(content("file"), bytes);
}

TEST_P(QueueContract, DirectFiles) {
  auto file = create("file", pattern(std::size_t{1} << 20));
  auto direct = file->reopen_direct();
  if (!direct.ok()) GTEST_SKIP() << direct.status().to_string();
  ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(std::size_t{1} << 20));
  for (std::size_t i = 0; i < kDepth; ++i) {
    const std::size_t part = buffer.size() / kDepth;
    ASSERT_OK(read(**direct, i * part, buffer.bytes().subspan(i * part, part), i));
  }
  for (const auto& [token, status] : drain()) EXPECT_OK(status) << token;
  EXPECT_TRUE(std::ranges::equal(buffer.bytes(), pattern(std::size_t{1} << 20)));
}

std::string tested_name(const ::testing::TestParamInfo<Tested>& info) {
  std::string kind(queue_kind_name(info.param.kind));
  std::erase(kind, '_');
  return kind + place_name(info.param.place);
}

INSTANTIATE_TEST_SUITE_P(Kinds, QueueContract,
                         ::testing::Values(Tested{QueueKind::kAuto, PlaceKind::kDisk},
                                           Tested{QueueKind::kIoUring, PlaceKind::kDisk},
                                           Tested{QueueKind::kIoUring, PlaceKind::kSharedMemory},
                                           Tested{QueueKind::kThreads, PlaceKind::kDisk},
                                           Tested{QueueKind::kSynchronous, PlaceKind::kDisk},
                                           Tested{QueueKind::kAuto, PlaceKind::kMemory},
                                           Tested{QueueKind::kThreads, PlaceKind::kFaultOverMemory},
                                           Tested{QueueKind::kSynchronous,
                                                  PlaceKind::kFaultOverMemory}),
                         tested_name);

// Faults, for the kinds that transfer by calls.
class FaultyQueue : public QueueContract {};

TEST_P(FaultyQueue, ShortTransfersAreContinued) {
  auto file = create("file");
  Fault fault;
  fault.kind = Fault::Kind::kShort;
  fault.only = {Call::kRead, Call::kWrite};
  fault.forever = true;
  fault.transfer = 100;
  place_.fault().set_fault(fault);
  auto bytes = pattern(1050);
  std::vector<std::byte> back(1050);
  ASSERT_OK(write(*file, 0, bytes, 1));
  EXPECT_OK(drain()[1]);
  ASSERT_OK(read(*file, 0, back, 2));
  EXPECT_OK(drain()[2]);
  EXPECT_EQ(place_.fault().calls(), 22U);
  EXPECT_EQ(back, bytes);
}

TEST_P(FaultyQueue, OneFailureIsOneCompletion) {
  auto file = create("file", pattern(100));
  Fault fault;
  fault.only = {Call::kRead};
  fault.at = 2;
  place_.fault().set_fault(fault);
  std::vector<std::byte> memory(40);
  for (std::uint64_t i = 0; i < kDepth; ++i) {
    ASSERT_OK(read(*file, i * 10, MutableBytes(memory).subspan(i * 10, 10), i));
  }
  int failures = 0;
  for (const auto& [token, status] : drain()) {
    if (status.ok()) continue;
    ++failures;
    EXPECT_EQ(status.os_error(), EIO);
  }
  EXPECT_EQ(failures, 1);
}

TEST_P(FaultyQueue, WritesWithoutProgressAreAnError) {
  auto file = create("file");
  Fault fault;
  fault.kind = Fault::Kind::kZeroProgress;
  fault.only = {Call::kWrite};
  place_.fault().set_fault(fault);
  auto bytes = pattern(10);
  ASSERT_OK(write(*file, 0, bytes, 1));
  EXPECT_THAT(drain()[1], StatusIs(Code::kIoError, HasSubstr("no progress")));
}

INSTANTIATE_TEST_SUITE_P(Kinds, FaultyQueue,
                         ::testing::Values(Tested{QueueKind::kAuto, PlaceKind::kFaultOverMemory},
                                           Tested{QueueKind::kThreads, PlaceKind::kFaultOverMemory},
                                           Tested{QueueKind::kSynchronous,
                                                  PlaceKind::kFaultOverMemory}),
                         tested_name);

}  // namespace
}  // namespace ingot::io
