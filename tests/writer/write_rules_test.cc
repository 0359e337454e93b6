// What may be written when: parts, completeness, the first error, cancelling, progress, report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../support/status_matchers.h"
#include "model.h"

namespace ingot::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kChunk = 65536;

auto invalid(const std::string& what) { return StatusIs(Code::kInvalidArgument, HasSubstr(what)); }

// One tensor "w" of two chunks and a bit, and a tiny one, "b".
class WriteRules : public ::testing::Test {
 protected:
  WriteRules() {
    model_.plan.add({.name = "w", .dtype = DType::kUInt8, .shape = {2 * kChunk + 100}});
    model_.plan.add({.name = "b", .dtype = DType::kUInt8, .shape = {10}});
    model_.plan.attach("note", "text/plain", 5);
    model_.fill();
    options_ = options_on(file_system_);
    options_.chunk_bytes = kChunk;
  }

  void create() {
    auto writer = Writer::create("model.ingot", model_.plan, options_);
    ASSERT_OK(writer);
    writer_.emplace(*std::move(writer));
  }
  Status part(std::uint64_t begin, std::uint64_t end) {
    return writer_->write(kW, begin, Bytes(model_.content[0]).subspan(begin, end - begin));
  }
  Status rest() {
    INGOT_RETURN_IF_ERROR(writer_->write(StorageId{1}, model_.content[1]));
    return writer_->write(AttachmentId{0}, model_.content[2]);
  }
  void expect_whole() {
    EXPECT_OK(rest());
    EXPECT_OK(writer_->commit());
    EXPECT_OK(check_file(file_system_.content("model.ingot"), model_));
  }
  // After the first error everything fails with it and no file appears.
  void expect_dead(const Status& first) {
    EXPECT_EQ(rest().message(), first.message());
    EXPECT_EQ(writer_->commit().message(), first.message());
    writer_.reset();
    EXPECT_THAT(file_system_.names(), IsEmpty());
  }

  static constexpr StorageId kW{0};
  io::MemoryFileSystem file_system_;
  Model model_;
  WriterOptions options_;
  std::optional<Writer> writer_;
};

TEST_F(WriteRules, ByTensorStorageAndAttachment) {
  create();
  EXPECT_OK(writer_->write(TensorId{0}, model_.content[0]));
  expect_whole();
}

TEST_F(WriteRules, ChunksInAnyOrder) {
  create();
  EXPECT_OK(part(2 * kChunk, 2 * kChunk + 100));
  EXPECT_OK(part(0, kChunk));
  EXPECT_OK(part(kChunk, 2 * kChunk));
  expect_whole();
}

TEST_F(WriteRules, PartsOfAChunkContinueWhereTheEarlierOneEnded) {
  create();
  EXPECT_OK(part(0, 1));
  EXPECT_OK(part(kChunk, kChunk + 7));
  EXPECT_OK(part(1, 1000));
  EXPECT_OK(part(kChunk + 7, 2 * kChunk + 100));
  EXPECT_OK(part(1000, kChunk));
  expect_whole();
}

TEST_F(WriteRules, NothingMayBeWrittenToNothing) {
  create();
  EXPECT_OK(part(5, 5));
  EXPECT_OK(part(0, 2 * kChunk + 100));
  EXPECT_OK(part(2 * kChunk + 100, 2 * kChunk + 100));
  expect_whole();
}

TEST_F(WriteRules, GapWithinAChunk) {
  create();
  EXPECT_OK(part(0, 10));
  const Status status = part(11, 20);
  EXPECT_THAT(status, AllOf(invalid("neither at the chunk"), invalid("tensor \"w\"")));
  expect_dead(status);
}

TEST_F(WriteRules, PartThatBeginsInTheMiddleOfAChunk) {
  create();
  const Status status = part(kChunk + 1, kChunk + 2);
  EXPECT_THAT(status, invalid("chunk 1"));
  expect_dead(status);
}

TEST_F(WriteRules, BytesWrittenTwice) {
  create();
  EXPECT_OK(part(0, kChunk));
  const Status status = part(0, 1);
  EXPECT_THAT(status, invalid("twice"));
  expect_dead(status);
}

TEST_F(WriteRules, PartThatRunsIntoAChunkThatHasBytes) {
  create();
  EXPECT_OK(part(kChunk, kChunk + 1));
  EXPECT_THAT(part(0, kChunk + 1), invalid("twice"));
}

TEST_F(WriteRules, BytesOutsideOfTheStorage) {
  create();
  const Status status = writer_->write(kW, 2 * kChunk, Bytes(model_.content[0]).first(101));
  EXPECT_THAT(status, AllOf(invalid("outside"), invalid("101 at 131072")));
  expect_dead(status);
}

TEST_F(WriteRules, OffsetNearTheEndOfNumbers) {
  create();
  EXPECT_THAT(writer_->write(kW, ~std::uint64_t{0}, Bytes(model_.content[0]).first(2)),
              invalid("outside"));
}

TEST_F(WriteRules, WholeTensorOfTheWrongSize) {
  create();
  const Status status = writer_->write(TensorId{0}, Bytes(model_.content[0]).first(10));
  EXPECT_THAT(status, AllOf(invalid("not all bytes"), invalid("expected 131172, found 10")));
  EXPECT_EQ(status.location().tensor, "w");
  expect_dead(status);
}

TEST_F(WriteRules, UnknownHandles) {
  for (int i = 0; i < 3; ++i) {
    create();
    const Bytes bytes = model_.content[1];
    const Status status = i == 0   ? writer_->write(TensorId{2}, bytes)
                          : i == 1 ? writer_->write(StorageId{3}, bytes)
                                   : writer_->write(AttachmentId{1}, bytes);
    EXPECT_THAT(status, invalid("no such"));
  }
}

TEST_F(WriteRules, CommitNamesWhatIsMissing) {
  create();
  EXPECT_OK(part(0, kChunk));
  EXPECT_THAT(writer_->commit(), AllOf(invalid("missing \"w\", \"b\", \"note\"")));
}

TEST_F(WriteRules, CommitNamesAPartThatIsMissing) {
  create();
  EXPECT_OK(part(0, 2 * kChunk + 99));
  EXPECT_OK(rest());
  const Status status = writer_->commit();
  EXPECT_THAT(status, invalid("missing \"w\""));
  writer_.reset();
  EXPECT_THAT(file_system_.names(), IsEmpty());
}

TEST_F(WriteRules, NothingAfterCommit) {
  create();
  EXPECT_OK(part(0, 2 * kChunk + 100));
  expect_whole();
  EXPECT_THAT(writer_->commit(), invalid("twice"));
  EXPECT_THAT(rest(), invalid("after commit"));
  EXPECT_OK(check_file(file_system_.content("model.ingot"), model_));
}

TEST_F(WriteRules, WithoutCommitNothingIsLeft) {
  create();
  EXPECT_OK(part(0, kChunk));
  EXPECT_OK(rest());
  writer_.reset();
  EXPECT_THAT(file_system_.names(), IsEmpty());
}

TEST_F(WriteRules, MovedWriterGoesOn) {
  create();
  EXPECT_OK(part(0, kChunk));
  Writer moved = std::move(*writer_);
  writer_.emplace(std::move(moved));
  EXPECT_OK(part(kChunk, 2 * kChunk + 100));
  expect_whole();
}

TEST_F(WriteRules, EmptyTensorsNeedNoWrite) {
  model_.plan.add({.name = "empty", .shape = {0}});
  model_.fill();
  create();
  EXPECT_OK(part(0, 2 * kChunk + 100));
  expect_whole();
}

TEST_F(WriteRules, EmptyPlanMakesAFile) {
  model_ = {};
  create();
  EXPECT_OK(writer_->commit());
  EXPECT_OK(check_file(file_system_.content("model.ingot"), model_));
}

TEST_F(WriteRules, CancelledInWrite) {
  CancelFlag cancel = false;
  options_.cancel = &cancel;
  create();
  EXPECT_OK(part(0, kChunk));
  cancel = true;
  const Status status = part(kChunk, 2 * kChunk);
  EXPECT_THAT(status, StatusIs(Code::kCancelled));
  expect_dead(status);
}

TEST_F(WriteRules, CancelledInCommit) {
  CancelFlag cancel = false;
  options_.cancel = &cancel;
  create();
  EXPECT_OK(part(0, 2 * kChunk + 100));
  EXPECT_OK(rest());
  cancel = true;
  EXPECT_THAT(writer_->commit(), StatusIs(Code::kCancelled));
  writer_.reset();
  EXPECT_THAT(file_system_.names(), IsEmpty());
}

TEST_F(WriteRules, ProgressAscendsToTheTotal) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> calls;
  options_.progress.context = &calls;
  options_.progress.function = [](void* context, std::uint64_t done, std::uint64_t total) {
    static_cast<decltype(calls)*>(context)->emplace_back(done, total);
  };
  options_.staging_bytes = 128 << 10;
  create();
  EXPECT_OK(part(0, 2 * kChunk + 100));
  expect_whole();
  const std::uint64_t total = 2 * kChunk + 115;
  ASSERT_GT(calls.size(), 3u);
  EXPECT_TRUE(std::is_sorted(calls.begin(), calls.end()));
  EXPECT_EQ(calls.back(), std::pair(total, total));
}

TEST_F(WriteRules, ReportTellsSizesAndRoot) {
  create();
  EXPECT_EQ(writer_->report().root, Digest128{});
  EXPECT_OK(part(0, 2 * kChunk + 100));
  expect_whole();
  const WriteReport& report = writer_->report();
  const Content file = file_system_.content("model.ingot");
  EXPECT_EQ(report.file_bytes, file.size());
  EXPECT_EQ(report.data_bytes, 2 * kChunk + 115);
  EXPECT_EQ(report.io_path, "buffered, synchronous");
  EXPECT_THAT(report.io_reason, HasSubstr("small file"));
  EXPECT_EQ(std::memcmp(&report.root, file.data() + 160, 16), 0);
  // Every byte is data, padding or metadata.
  const std::uint64_t metadata = file.size() - report.data_bytes - report.padding_bytes;
  EXPECT_EQ(metadata,
            2 * 4096 + load_le<std::uint64_t>(file, 56) + load_le<std::uint64_t>(file, 88));
}

}  // namespace
}  // namespace ingot::testing
