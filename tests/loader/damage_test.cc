// A damaged chunk: what the error says, and that everything else stays readable.
#include <algorithm>

#include "ingot/verify.h"

#include "format/digest.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(write_sample(path_, plan_));
    checkpoint_ = std::make_unique<Checkpoint>(*Checkpoint::open(path_));
  }
  TensorInfo info(std::string_view name) const { return *checkpoint_->find(name); }
  Status read(std::string_view name, Verify mode = Verify::kYes) const {
    Blob content(info(name).bytes);
    return checkpoint_->read(info(name), content, mode);
  }
  // Flips a bit of the tensor's byte `at`.
  void damage(std::string_view name, std::uint64_t at) {
    flip_bit(path_, offset_of(*checkpoint_, info(name)) + at, 5);
  }

  const WritePlan plan_ = mixed_plan();
  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
  std::unique_ptr<Checkpoint> checkpoint_;
};

TEST_F(DamageTest, NamesTensorChunkRangeExpectedAndFound) {
  const StorageInfo storage = checkpoint_->storage(info("adam/exp_avg").storage);
  damage("adam/exp_avg", 70000);
  Blob chunk = tensor_content(plan_, info("adam/exp_avg"));
  chunk[70000] ^= std::byte{32};
  const Digest128 found = format::xxh3_128(std::span(chunk).subspan(65536, 65536));
  const std::string expected = to_string(checkpoint_->chunk_digest(storage.first_chunk + 1));
  const std::uint64_t begin = storage.offset + 65536;

  const Status status = read("adam/exp_avg");
  EXPECT_THAT(
      status,
      StatusIs(
          Code::kChecksumMismatch,
          AllOf(HasSubstr(path_), HasSubstr("F-22"), HasSubstr("adam/exp_avg"),
                HasSubstr("chunk 2/4"),
                HasSubstr("[" + std::to_string(begin) + ", " + std::to_string(begin + 65536) + ")"),
                HasSubstr("expected " + expected), HasSubstr("found " + to_string(found)))));
  EXPECT_EQ(status.location().region, Region::kData);
  EXPECT_EQ(status.location().tensor, "adam/exp_avg");
  EXPECT_EQ(status.location().chunk, 1U);
  EXPECT_EQ(status.location().begin, begin);
  EXPECT_EQ(status.location().end, begin + 65536);
}

TEST_F(DamageTest, TheLastChunkEndsWithItsStorage) {
  const StorageInfo storage = checkpoint_->storage(info("embed.weight").storage);
  damage("embed.weight", storage.bytes - 1);
  const Status status = read("embed.weight");
  EXPECT_EQ(status.location().chunk, 3U);
  EXPECT_EQ(status.location().end, storage.offset + storage.bytes);
}

TEST_F(DamageTest, OtherTensorsStayReadable) {
  damage("embed.weight", 0);
  for (std::uint32_t i = 0; i < checkpoint_->tensor_count(); ++i) {
    const TensorInfo tensor = checkpoint_->info(i);
    Blob content(tensor.bytes);
    const Status status = checkpoint_->read(tensor, content);
    if (tensor.name == "embed.weight" || tensor.name == "head.weight") {
      EXPECT_THAT(status, StatusIs(Code::kChecksumMismatch));
      EXPECT_EQ(status.location().tensor, tensor.name);
    } else {
      EXPECT_OK(status);
      EXPECT_EQ(content, tensor_content(plan_, tensor));
    }
  }
}

// A view that begins inside of a chunk still has all of the chunk hashed.
TEST_F(DamageTest, APartOfAChunkIsVerifiedWhole) {
  EXPECT_OK(read("head.tail"));    // bytes [150000, 152000) of embed.weight
  damage("embed.weight", 131072);  // the first byte of the same chunk
  EXPECT_THAT(read("head.tail"), StatusIs(Code::kChecksumMismatch, HasSubstr("head.tail")));
  EXPECT_THAT(read("head.tail", Verify::kNo), StatusIs(Code::kIoError));  // modified since
}

TEST_F(DamageTest, SaysWhenTheFileWasModified) {
  damage("embed.weight", 0);
  EXPECT_THAT(read("embed.weight"),
              StatusIs(Code::kChecksumMismatch, HasSubstr("modified since it was opened")));
  const Checkpoint again = *Checkpoint::open(path_);
  Blob content(info("embed.weight").bytes);
  EXPECT_THAT(again.read(info("embed.weight"), content),
              StatusIs(Code::kChecksumMismatch, ::testing::Not(HasSubstr("modified"))));
}

TEST_F(DamageTest, UnverifiedReadsNoticeModification) {
  ASSERT_OK(checkpoint_->check_unchanged());
  EXPECT_OK(read("embed.weight", Verify::kNo));
  damage("steps", 0);
  EXPECT_THAT(checkpoint_->check_unchanged(), StatusIs(Code::kIoError, HasSubstr("modified")));
  EXPECT_THAT(read("embed.weight", Verify::kNo), StatusIs(Code::kIoError));
  EXPECT_OK(read("embed.weight", Verify::kYes));
}

TEST_F(DamageTest, Attachments) {
  const AttachmentInfo tokenizer = *checkpoint_->find_attachment("tokenizer");
  flip_bit(path_, checkpoint_->storage(tokenizer.storage).offset + 199999);
  EXPECT_THAT(checkpoint_->read_attachment(tokenizer),
              StatusIs(Code::kChecksumMismatch, HasSubstr("tokenizer")));
  EXPECT_OK(checkpoint_->read_attachment(*checkpoint_->find_attachment("config.json")));
}

}  // namespace
}  // namespace ingot::testing
