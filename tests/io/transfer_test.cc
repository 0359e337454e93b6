// Whole transfers out of partial ones. The faults come from FaultFileSystem.
#include "io/transfer.h"

#include <cerrno>

#include "io/aligned_buffer.h"
#include "io/partial_transfer.h"
#include "tests/io/io_testing.h"

namespace ingot::io {
namespace {

using ::ingot::testing::StatusIs;
using ::testing::HasSubstr;

class TransferTest : public ::testing::Test {
 protected:
  void SetUp() override {
    memory_.put("file", content_);
    auto file = fault_.open("file", Access::kReadWrite);
    ASSERT_OK(file);
    file_ = *std::move(file);
  }

  void inject(Fault::Kind kind, Call call, bool forever, std::uint64_t transfer = 1,
              int os_error = EIO) {
    Fault fault;
    fault.kind = kind;
    fault.only = {call};
    fault.forever = forever;
    fault.transfer = transfer;
    fault.os_error = os_error;
    fault_.set_fault(fault);
  }
  Status read() { return read_exact(*file_, 0, destination_); }
  Status write() { return write_all(*file_, 0, source_); }

  const std::vector<std::byte> content_ = pattern(10'000, 1);
  const std::vector<std::byte> source_ = pattern(10'000, 2);
  std::vector<std::byte> destination_ = std::vector<std::byte>(10'000);
  MemoryFileSystem memory_;
  FaultFileSystem fault_{memory_};
  std::unique_ptr<File> file_;
};

TEST_F(TransferTest, ShortReadsAreContinued) {
  for (const std::uint64_t part : {1U, 7U, 4096U, 9999U}) {
    inject(Fault::Kind::kShort, Call::kRead, true, part);
    std::ranges::fill(destination_, std::byte{0});
    ASSERT_OK(read());
    EXPECT_EQ(destination_, content_);
    EXPECT_EQ(fault_.calls(), (10'000 + part - 1) / part);
  }
}

TEST_F(TransferTest, ShortWritesAreContinued) {
  for (const std::uint64_t part : {1U, 7U, 4096U, 9999U}) {
    memory_.put("file", content_);
    ASSERT_OK_AND_ASSIGN(file_, fault_.open("file", Access::kReadWrite));
    inject(Fault::Kind::kShort, Call::kWrite, true, part);
    ASSERT_OK(write());
    EXPECT_EQ(memory_.content("file"), source_);
    EXPECT_EQ(fault_.calls(), (10'000 + part - 1) / part);
  }
}

TEST_F(TransferTest, InterruptionsAreInvisible) {
  inject(Fault::Kind::kErrno, Call::kRead, false, 1, EINTR);
  ASSERT_OK(read());
  EXPECT_TRUE(fault_.fired());
  EXPECT_EQ(destination_, content_);
  inject(Fault::Kind::kErrno, Call::kWrite, false, 1, EINTR);
  ASSERT_OK(write());
  EXPECT_TRUE(fault_.fired());
  EXPECT_EQ(memory_.content("file"), source_);
}

TEST_F(TransferTest, InterruptionsForEverEnd) {
  inject(Fault::Kind::kErrno, Call::kRead, true, 1, EINTR);
  EXPECT_THAT(read(), StatusIs(Code::kIoError));
  inject(Fault::Kind::kErrno, Call::kWrite, true, 1, EINTR);
  EXPECT_THAT(write(), StatusIs(Code::kIoError));
}

TEST_F(TransferTest, WritesWithoutProgressAreAnError) {
  inject(Fault::Kind::kZeroProgress, Call::kWrite, false);
  EXPECT_THAT(write(), StatusIs(Code::kIoError, HasSubstr("no progress")));
}

TEST_F(TransferTest, ReadsThatEndEarlyAreTruncated) {
  inject(Fault::Kind::kZeroProgress, Call::kRead, false);
  EXPECT_THAT(read(), StatusIs(Code::kTruncated));
}

TEST_F(TransferTest, TheEndOfTheFileNamesTheRange) {
  std::vector<std::byte> bytes(200);
  const Status status = read_exact(*file_, 9900, bytes);
  EXPECT_THAT(status, StatusIs(Code::kTruncated, HasSubstr("bytes [9900, 10100)")));
  EXPECT_THAT(status, StatusIs(Code::kTruncated, HasSubstr("expected 200 bytes, found 100")));
  EXPECT_EQ(status.location().region, Region::kFile);
  EXPECT_EQ(status.location().begin, 9900U);
  EXPECT_EQ(status.location().end, 10'100U);
}

// Going on behind the end of a file, a direct read is unaligned: EINVAL on some file systems.
TEST_F(TransferTest, DirectReadsBehindTheEndAreTruncated) {
  memory_.set_features({.direct = true});
  ASSERT_OK_AND_ASSIGN(auto direct, file_->reopen_direct());
  ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(12'288));
  EXPECT_THAT(read_exact(*direct, 0, buffer.bytes()),
              StatusIs(Code::kTruncated, HasSubstr("expected 12288 bytes, found 10000")));
  EXPECT_EQ(read_exact(*direct, 1, buffer.bytes()).os_error(), EINVAL);
}

TEST_F(TransferTest, ErrorsKeepTheirErrno) {
  inject(Fault::Kind::kErrno, Call::kRead, false, 1, EIO);
  EXPECT_THAT(read(), StatusIs(Code::kIoError));
  inject(Fault::Kind::kErrno, Call::kWrite, false, 1, ENOSPC);
  const Status status = write();
  EXPECT_THAT(status, StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(status.os_error(), ENOSPC);
}

TEST_F(TransferTest, NothingToTransfer) {
  EXPECT_OK(read_exact(*file_, 1'000'000, {}));
  EXPECT_OK(write_all(*file_, 1'000'000, {}));
  EXPECT_EQ(file_->stat()->bytes, 10'000U);
}

class PartialTransferTest : public TransferTest {
 protected:
  PartialTransfer reading() {
    return PartialTransfer({Transfer::Op::kRead, file_.get(), 0, destination_.data(), 10'000, 0});
  }
  PartialTransfer writing() {
    return PartialTransfer({Transfer::Op::kWrite, file_.get(), 0, patch_.data(), 10'000, 0});
  }
  // As if the kernel had read the first bytes.
  void kernel_reads(std::size_t bytes) {
    std::copy_n(content_.begin(), bytes, destination_.begin());
  }

  std::vector<std::byte> patch_ = source_;
};

TEST_F(PartialTransferTest, GoesOnWhereItStopped) {
  PartialTransfer transfer = reading();
  EXPECT_EQ(transfer.book(1000), std::nullopt);
  EXPECT_EQ(transfer.offset(), 1000U);
  EXPECT_EQ(transfer.memory(), destination_.data() + 1000);
  EXPECT_EQ(transfer.bytes(), 9000U);
  EXPECT_EQ(transfer.book(8999), std::nullopt);
  EXPECT_OK(*transfer.book(1));
}

TEST_F(PartialTransferTest, WhatTheKernelCouldNotWaitForIsDoneByCalls) {
  for (const int number : {EAGAIN, EINTR}) {
    std::ranges::fill(destination_, std::byte{0});
    PartialTransfer transfer = reading();
    kernel_reads(1000);
    EXPECT_EQ(transfer.book(1000), std::nullopt);
    EXPECT_OK(*transfer.book(-number));
    EXPECT_EQ(destination_, content_);
  }
  EXPECT_OK(*writing().book(-EAGAIN));
  EXPECT_EQ(memory_.content("file"), source_);
}

TEST_F(PartialTransferTest, NothingTransferredIsTheEndOrAnError) {
  PartialTransfer transfer = reading();
  EXPECT_EQ(transfer.book(1000), std::nullopt);
  EXPECT_THAT(*transfer.book(0), StatusIs(Code::kTruncated, HasSubstr("found 1000")));
  EXPECT_THAT(*writing().book(0), StatusIs(Code::kIoError, HasSubstr("no progress")));
}

TEST_F(PartialTransferTest, FailuresNameWhatWasLeft) {
  PartialTransfer transfer = reading();
  EXPECT_EQ(transfer.book(1000), std::nullopt);
  EXPECT_THAT(*transfer.book(-EIO), StatusIs(Code::kIoError, HasSubstr("[1000, 10000)")));
  EXPECT_THAT(*writing().book(-ENOSPC), StatusIs(Code::kResourceExhausted));
}

// An unaligned direct read behind the end.
TEST_F(PartialTransferTest, EinvalBehindTheEndIsTruncated) {
  ASSERT_OK(file_->resize(5000));
  PartialTransfer transfer = reading();
  EXPECT_EQ(transfer.book(5000), std::nullopt);
  EXPECT_THAT(*transfer.book(-EINVAL), StatusIs(Code::kTruncated));
  EXPECT_THAT(*reading().book(-EINVAL), StatusIs(Code::kIoError));
}

}  // namespace
}  // namespace ingot::io
