// Which queue one gets, and the reason given for it; what only io_uring does.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "io/posix_file.h"
#include "io/queue.h"
#include "tests/io/child.h"
#include "tests/io/io_testing.h"

namespace ingot::io {
namespace {

using ::ingot::testing::StatusIs;
using ::testing::HasSubstr;

// A queue on io_uring, or null where the kernel has none for us.
std::unique_ptr<Queue> uring(std::uint32_t depth = 4) {
  auto queue = open_queue({.kind = QueueKind::kIoUring, .depth = depth});
  return queue.ok() ? *std::move(queue) : nullptr;
}

Status only_completion(Queue& queue, const Transfer& transfer) {
  INGOT_RETURN_IF_ERROR(queue.submit(transfer));
  INGOT_ASSIGN_OR_RETURN(const Completion completion, queue.wait());
  return completion.status;
}

TEST(QueueChoiceTest, DepthsAreBounded) {
  EXPECT_THAT(open_queue({.depth = 0}), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(open_queue({.depth = 4097}), StatusIs(Code::kInvalidArgument));
  EXPECT_OK(open_queue({.depth = 1}));
}

TEST(QueueChoiceTest, KindsHaveNames) {
  EXPECT_EQ(queue_kind_name(QueueKind::kAuto), "auto");
  EXPECT_EQ(queue_kind_name(QueueKind::kIoUring), "io_uring");
  EXPECT_EQ(queue_kind_name(QueueKind::kThreads), "threads");
  EXPECT_EQ(queue_kind_name(QueueKind::kSynchronous), "synchronous");
}

TEST(QueueChoiceTest, WithoutDescriptorsThereAreThreads) {
  ASSERT_OK_AND_ASSIGN(auto queue, open_queue({.has_descriptors = false}));
  EXPECT_EQ(queue->kind(), QueueKind::kThreads);
  EXPECT_EQ(queue->reason(), "threads: the file system has no descriptors");
  EXPECT_THAT(open_queue({.kind = QueueKind::kIoUring, .has_descriptors = false}),
              StatusIs(Code::kUnsupported, HasSubstr("descriptors")));
}

TEST(QueueChoiceTest, AutoTakesUringWhereItIs) {
  if (uring() == nullptr) GTEST_SKIP() << "no io_uring here";
  ASSERT_OK_AND_ASSIGN(auto queue, open_queue({.depth = 32}));
  EXPECT_EQ(queue->kind(), QueueKind::kIoUring);
  EXPECT_EQ(queue->reason(), "io_uring, depth 32");
}

int refused(int number, std::string_view reason) {
  auto queue = open_queue({});
  if (!queue.ok() || (*queue)->kind() != QueueKind::kThreads) return 1;
  if ((*queue)->reason() != reason) return 2;
  auto forced = open_queue({.kind = QueueKind::kIoUring});
  if (forced.status().code() != Code::kUnsupported) return 3;
  return forced.status().os_error() == number ? 0 : 4;
}

void expect_refusal(int number, std::string_view reason) {
  if (uring() == nullptr) GTEST_SKIP() << "no io_uring here";
  const int result =
      in_child_without(SYS_io_uring_setup, number, [&] { return refused(number, reason); });
  if (result == kNoFilters) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(result, 0);
}

TEST(QueueChoiceTest, RefusedByAFilter) {
  expect_refusal(EPERM, "threads: io_uring refused (EPERM)");
}
TEST(QueueChoiceTest, UnknownToTheKernel) {
  expect_refusal(ENOSYS, "threads: io_uring refused (ENOSYS)");
}
TEST(QueueChoiceTest, RefusedForAnotherReason) {
  expect_refusal(ENOMEM, "threads: io_uring refused (Cannot allocate memory)");
}

TEST(UringTest, FilesWithoutDescriptorsAreRefused) {
  auto queue = uring();
  if (queue == nullptr) GTEST_SKIP() << "no io_uring here";
  MemoryFileSystem memory;
  auto file = create_file(memory, "file", pattern(10));
  std::byte byte{};
  EXPECT_THAT(queue->submit({Transfer::Op::kRead, file.get(), 0, &byte, 1, 0}),
              StatusIs(Code::kUnsupported, HasSubstr("file")));
  EXPECT_EQ(queue->in_flight(), 0U);
}

// A pipe in packet mode gives one packet a read, however much is asked for: short reads.
TEST(UringTest, ShortReadsAreContinued) {
  auto queue = uring();
  if (queue == nullptr) GTEST_SKIP() << "no io_uring here";
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_DIRECT | O_CLOEXEC), 0);
  auto reader = adopt_descriptor(OwnedDescriptor(ends[0]), "pipe");
  auto writer = adopt_descriptor(OwnedDescriptor(ends[1]), "pipe");
  const auto bytes = pattern(3000);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(::write(ends[1], bytes.data() + i * 1000, 1000), 1000);
  }
  std::vector<std::byte> destination(3000);
  EXPECT_OK(only_completion(
      *queue, {Transfer::Op::kRead, reader.get(), 0, destination.data(), destination.size(), 0}));
  EXPECT_EQ(destination, bytes);
}

TEST(UringTest, AnEarlyEndIsTruncated) {
  auto queue = uring();
  if (queue == nullptr) GTEST_SKIP() << "no io_uring here";
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  auto reader = adopt_descriptor(OwnedDescriptor(ends[0]), "pipe");
  ASSERT_EQ(::write(ends[1], pattern(1000).data(), 1000), 1000);
  ASSERT_EQ(::close(ends[1]), 0);
  std::vector<std::byte> destination(3000);
  EXPECT_THAT(
      only_completion(*queue, {Transfer::Op::kRead, reader.get(), 0, destination.data(), 3000, 0}),
      StatusIs(Code::kTruncated, HasSubstr("found 1000")));
}

// The kernel cancels what would have to go on in a thread that has ended; as it does where it
// cannot start a worker of its own. Neither is an error of the file.
TEST(UringTest, WhatTheKernelCancelsIsDoneByPlainCalls) {
  auto queue = uring();
  if (queue == nullptr) GTEST_SKIP() << "no io_uring here";
  Place place(PlaceKind::kDisk);
  const auto bytes = pattern(1000);
  auto stored = create_file(posix(), place.path("file"), bytes);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  auto file = adopt_descriptor(OwnedDescriptor(ends[0]), "pipe, then file");
  auto writer = adopt_descriptor(OwnedDescriptor(ends[1]), "pipe");
  std::vector<std::byte> destination(bytes.size());
  std::thread submitter([&] {
    EXPECT_OK(queue->submit(
        {Transfer::Op::kRead, file.get(), 0, destination.data(), destination.size(), 7}));
  });
  submitter.join();
  ASSERT_EQ(::write(ends[1], bytes.data(), 1), 1);  // wakes the read, whose thread is gone
  ASSERT_EQ(::dup2(stored->descriptor(), ends[0]), ends[0]);
  ASSERT_OK_AND_ASSIGN(const Completion completion, queue->wait());
  EXPECT_EQ(completion.token, 7U);
  EXPECT_OK(completion.status);
  EXPECT_EQ(destination, bytes);
}

// In a child, once it has submitted a read of an empty pipe, io_uring_enter fails with `error`; the
// bytes come 100 ms after `begin` was called. What `end` returns, or what went wrong before.
template <typename Begin, typename End>
int with_a_read_in_flight(int error, Begin begin, End end) {
  return in_child([&] {
    auto queue = uring();
    std::array<int, 2> ends{};
    if (queue == nullptr || ::pipe2(ends.data(), O_CLOEXEC) != 0) return 1;
    auto reader = adopt_descriptor(OwnedDescriptor(ends[0]), "pipe");
    auto writer = adopt_descriptor(OwnedDescriptor(ends[1]), "pipe");
    const auto bytes = pattern(1000);
    std::vector<std::byte> memory(bytes.size());
    const Transfer read{Transfer::Op::kRead, reader.get(), 0, memory.data(), memory.size(), 7};
    if (!queue->submit(read).ok()) return 2;
    if (!refuse_call(SYS_io_uring_enter, error)) return kNoFilters;
    if (!begin(*queue)) return 3;
    std::thread late([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      static_cast<void>(::write(ends[1], bytes.data(), bytes.size()));
    });
    const bool ended = end(queue);
    const bool arrived = memory == bytes;
    late.join();
    if (!ended) return 4;
    return arrived ? 0 : 5;
  });
}

// Whoever has the queue is told; its end waits for the kernel, which still writes to the memory.
TEST(UringTest, DestructionWaitsAlsoWhenTheQueueIsBroken) {
  if (uring() == nullptr) GTEST_SKIP() << "no io_uring here";
  const int result = with_a_read_in_flight(
      EPERM, [](Queue& queue) { return queue.wait().status().os_error() == EPERM; },
      [](std::unique_ptr<Queue>& queue) { return queue.reset(), true; });
  if (result == kNoFilters) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(result, 0);
}

// Out of resources for a while is no failure.
TEST(UringTest, BusyKernelsAreWaitedFor) {
  if (uring() == nullptr) GTEST_SKIP() << "no io_uring here";
  for (const int error : {EAGAIN, ENOMEM}) {
    const int result = with_a_read_in_flight(
        error, [](Queue&) { return true; },
        [](std::unique_ptr<Queue>& queue) {
          const auto completion = queue->wait();
          return completion.ok() && completion->status.ok();
        });
    if (result == kNoFilters) GTEST_SKIP() << "no seccomp here";
    EXPECT_EQ(result, 0);
  }
}

// What the kernel never took it never completes.
TEST(UringTest, DestructionDoesNotWaitForWhatWasNeverTaken) {
  if (uring() == nullptr) GTEST_SKIP() << "no io_uring here";
  Place place(PlaceKind::kDisk);
  auto file = create_file(posix(), place.path("file"), pattern(1000));
  const int result = in_child([&] {
    auto queue = uring();
    if (queue == nullptr) return 1;
    if (!refuse_call(SYS_io_uring_enter, EPERM)) return kNoFilters;
    std::vector<std::byte> memory(1000);
    for (std::uint64_t i = 0; i < 4; ++i) {
      if (!queue->submit({Transfer::Op::kRead, file.get(), 0, memory.data(), 1000, i}).ok())
        return 2;
    }
    if (queue->wait().ok()) return 3;
    queue.reset();
    return 0;
  });
  if (result == kNoFilters) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(result, 0);
}

TEST(UringTest, ShortWritesAreContinuedUpToTheLimit) {
  if (uring() == nullptr) GTEST_SKIP() << "no io_uring here";
  Place place(PlaceKind::kDisk);
  const std::string name = place.path("file");
  const auto limited = [&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{10'000, 10'000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    auto queue = uring();
    auto file = posix().create_exclusive(name);
    if (queue == nullptr || !file.ok()) return 2;
    auto bytes = pattern(20'000);
    const Status status =
        only_completion(*queue, {Transfer::Op::kWrite, file->get(), 0, bytes.data(), 20'000, 0});
    if (status.code() != Code::kResourceExhausted || status.os_error() != EFBIG) return 3;
    return (*file)->stat()->bytes == 10'000 ? 0 : 4;
  };
  EXPECT_EQ(in_child(limited), 0);
}

}  // namespace
}  // namespace ingot::io
