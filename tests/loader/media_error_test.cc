// Unreadable sectors: what lies on them is named, with the system's error, and nothing else is.
#include <cerrno>

#include "ingot/verify.h"

#include "format/header.h"
#include "tests/loader/byte_file_system.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MediaErrorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    plan_ = mixed_plan();
    for (int i = 0; i < 200; ++i) plan_.add({.name = "tiny." + std::to_string(i), .shape = {7}});
    Scratch scratch;
    ASSERT_OK(write_sample(scratch.path("f"), plan_));
    bytes_ = read_file(scratch.path("f"));
    media_ = std::make_unique<ByteFileSystem>(bytes_);
    checkpoint_ =
        std::make_unique<Checkpoint>(*Checkpoint::open("f", {.file_system = media_.get()}));
  }
  StorageInfo storage(std::string_view name) const {
    return checkpoint_->storage(checkpoint_->find(name)->storage);
  }
  VerifyReport run() {
    Result<VerifyReport> report = verify(*checkpoint_, {.threads = 2, .keep_going = true});
    EXPECT_OK(report);
    return *report;
  }
  static std::vector<std::string> tensors(const VerifyReport& report) {
    std::vector<std::string> names;
    for (const Status& error : report.errors) names.push_back(error.location().tensor);
    return names;
  }

  WritePlan plan_;
  Blob bytes_;
  std::unique_ptr<ByteFileSystem> media_;
  std::unique_ptr<Checkpoint> checkpoint_;
};

TEST_F(MediaErrorTest, OneChunkOfALargeTensor) {
  const StorageInfo moments = storage("adam/exp_avg");
  media_->set_bad(moments.offset + 69632, moments.offset + 73728);
  bytes_[storage("steps").offset] ^= std::byte{1};  // behind it
  const VerifyReport report = run();
  ASSERT_EQ(report.error_count, 2U);
  EXPECT_THAT(report.errors[0], StatusIs(Code::kIoError));
  EXPECT_EQ(report.errors[0].os_error(), EIO);
  EXPECT_EQ(report.errors[0].location().tensor, "adam/exp_avg");
  EXPECT_EQ(report.errors[0].location().chunk, 1U);
  EXPECT_EQ(report.errors[0].location().begin, moments.offset + 65536);
  EXPECT_EQ(report.errors[0].location().end, moments.offset + 131072);
  EXPECT_THAT(report.errors[1], StatusIs(Code::kChecksumMismatch));
  EXPECT_EQ(report.chunks, checkpoint_->chunk_count() - 1);
}

TEST_F(MediaErrorTest, ManySmallTensorsOfOneSector) {
  const std::uint64_t begin = storage("tiny.50").offset + 8;
  const std::uint64_t end = storage("tiny.53").offset + 1;
  media_->set_bad(begin, end);
  EXPECT_THAT(tensors(run()), ElementsAre("tiny.50", "", "tiny.51", "", "tiny.52", "", "tiny.53"));
  const VerifyReport report = run();
  for (const Status& error : report.errors) {
    EXPECT_THAT(error, StatusIs(Code::kIoError));
    EXPECT_EQ(error.location().region,
              error.location().tensor.empty() ? Region::kPadding : Region::kData);
  }
}

TEST_F(MediaErrorTest, Metadata) {
  const format::Header header =
      *format::decode_header(std::span(bytes_).first(4096), "f", Region::kHeader);
  const std::pair<std::uint64_t, Region> places[] = {
      {100, Region::kHeader},
      {header.digests_offset, Region::kDigestTable},
      {header.index_offset + 4096, Region::kIndex},
      {header.index_offset + header.index_bytes, Region::kPadding},
      {header.second_header_offset(), Region::kSecondHeader},
  };
  for (const auto& [offset, region] : places) {
    media_->set_bad(offset, offset + 1);
    const VerifyReport report = run();
    ASSERT_EQ(report.error_count, 1U);
    EXPECT_THAT(report.errors[0], StatusIs(Code::kIoError));
    EXPECT_EQ(report.errors[0].location().region, region);
  }
}

TEST_F(MediaErrorTest, ReadsOfOtherTensorsGoOn) {
  const StorageInfo moments = storage("adam/exp_avg");
  media_->set_bad(moments.offset + 69632, moments.offset + 73728);
  for (std::uint32_t i = 0; i < checkpoint_->tensor_count(); ++i) {
    const TensorInfo tensor = checkpoint_->info(i);
    Blob content(tensor.bytes);
    const Status status = checkpoint_->read(tensor, content);
    if (tensor.name == "adam/exp_avg") {
      EXPECT_THAT(status, StatusIs(Code::kIoError));
      EXPECT_EQ(status.os_error(), EIO);
      EXPECT_EQ(status.location().tensor, "adam/exp_avg");
    } else {
      EXPECT_OK(status);
    }
  }
}

TEST_F(MediaErrorTest, OpenSaysWhichRegionItNeeds) {
  for (std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{bytes_.size() - 1}}) {
    media_->set_bad(offset, offset + 1);
    const Status status = Checkpoint::open("f", {.file_system = media_.get()}).status();
    EXPECT_THAT(status, StatusIs(Code::kIoError));
    EXPECT_EQ(status.os_error(), EIO);
  }
}

TEST_F(MediaErrorTest, NothingToReport) { EXPECT_THAT(tensors(run()), IsEmpty()); }

}  // namespace
}  // namespace ingot::testing
