// Views: who keeps what alive, who may write, and what there is without a mapping.
#include <algorithm>
#include <optional>

#include "io/memory_file_system.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::HasSubstr;

class ViewTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(write_sample(path_, plan_)); }
  Checkpoint open() { return *Checkpoint::open(path_); }
  Blob content(const TensorInfo& info) { return tensor_content(plan_, info); }

  const WritePlan plan_ = mixed_plan();
  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
};

TEST_F(ViewTest, OutlivesTheCheckpoint) {
  std::optional<Checkpoint> checkpoint = open();
  const TensorView view = *checkpoint->tensor("embed.weight");
  const MutableTensorView writable = *checkpoint->mutable_view(view.info);
  checkpoint.reset();
  EXPECT_EQ(view.info.name, "embed.weight");
  EXPECT_TRUE(std::ranges::equal(view.bytes, content(view.info)));
  EXPECT_TRUE(std::ranges::equal(writable.bytes, content(view.info)));
  EXPECT_EQ(writable.info.shape[1], 501);
}

TEST_F(ViewTest, OutlivesTheFilesName) {
  const Checkpoint checkpoint = open();
  const TensorView view = *checkpoint.tensor("conv.weight");
  std::filesystem::remove(path_);
  EXPECT_TRUE(std::ranges::equal(view.bytes, content(view.info)));
}

TEST_F(ViewTest, CopyOnWriteStaysPrivate) {
  const Checkpoint checkpoint = open();
  const TensorInfo info = *checkpoint.find("adam/exp_avg");
  const Blob before = read_file(path_);
  const MutableTensorView mine = *checkpoint.mutable_view(info);
  const MutableTensorView yours = *checkpoint.mutable_view(info);
  std::ranges::fill(mine.bytes, std::byte{0xAA});
  EXPECT_TRUE(std::ranges::equal(yours.bytes, content(info)));
  EXPECT_TRUE(std::ranges::equal(checkpoint.view(info)->bytes, content(info)));
  EXPECT_EQ(read_file(path_), before);
  EXPECT_EQ(mine.bytes.front(), std::byte{0xAA});
}

TEST_F(ViewTest, CopyOnWriteOfEveryTensor) {
  const Checkpoint checkpoint = open();
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    const TensorInfo info = checkpoint.info(i);
    ASSERT_OK_AND_ASSIGN(const MutableTensorView view, checkpoint.mutable_view(info));
    EXPECT_TRUE(std::ranges::equal(view.bytes, content(info))) << info.name;
  }
}

TEST_F(ViewTest, CopyOnWriteOfAllDataKeepsTensorsTied) {
  std::optional<Checkpoint> checkpoint = open();
  const Blob before = read_file(path_);
  ASSERT_OK_AND_ASSIGN(const MutableDataView all, checkpoint->mutable_data());
  for (std::uint32_t i = 0; i < checkpoint->tensor_count(); ++i) {
    const TensorInfo info = checkpoint->info(i);
    const std::uint64_t at =
        checkpoint->storage(info.storage).offset - checkpoint->file().data_begin + info.byte_offset;
    EXPECT_TRUE(std::ranges::equal(all.data.subspan(at, info.bytes), content(info))) << info.name;
  }
  std::ranges::fill(all.data, std::byte{0xAA});
  EXPECT_EQ(read_file(path_), before);
  checkpoint.reset();
  EXPECT_EQ(all.data.back(), std::byte{0xAA});
}

TEST_F(ViewTest, ReadsAnyRangeOfAStorage) {
  const Checkpoint checkpoint = open();
  const TensorInfo info = *checkpoint.find("embed.weight");
  const Blob whole = content(info);
  for (const std::uint64_t begin : {std::uint64_t{0}, std::uint64_t{1}, info.bytes - 7}) {
    Blob part(7);
    ASSERT_OK(checkpoint.read_storage(info.storage, info.byte_offset + begin, part));
    EXPECT_TRUE(std::ranges::equal(part, std::span(whole).subspan(begin, 7))) << begin;
  }
  Blob part(8);
  const std::uint64_t bytes = checkpoint.storage(info.storage).bytes;
  EXPECT_THAT(checkpoint.read_storage(info.storage, bytes - 7, part),
              StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(checkpoint.read_storage(1000, 0, part), StatusIs(Code::kInvalidArgument));
  flip_bit(path_, offset_of(checkpoint, info));
  EXPECT_THAT(checkpoint.read_storage(info.storage, 0, part, "embed"),
              StatusIs(Code::kChecksumMismatch, HasSubstr("embed")));
}

TEST_F(ViewTest, LargeStoragesAreAlignedInMemory) {
  const Checkpoint checkpoint = open();
  const TensorView view = *checkpoint.tensor("embed.weight");
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.bytes.data()) % 4096, 0U);
}

TEST_F(ViewTest, RefusesADescriptionOfAnotherFile) {
  const Checkpoint checkpoint = open();
  TensorInfo info = *checkpoint.find("embed.weight");
  info.bytes += 1;
  EXPECT_THAT(checkpoint.view(info), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(checkpoint.mutable_view(info), StatusIs(Code::kInvalidArgument));
  Blob destination(info.bytes);
  EXPECT_THAT(checkpoint.read(info, destination), StatusIs(Code::kInvalidArgument));
  info.storage = 1000;
  EXPECT_THAT(checkpoint.view(info), StatusIs(Code::kInvalidArgument));
}

TEST_F(ViewTest, WithoutAMappingOnlyViewsFail) {
  io::MemoryFileSystem memory;
  memory.set_features({.map = false});
  memory.put("sample.ingot", read_file(path_));
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint,
                       Checkpoint::open("sample.ingot", {.file_system = &memory}));
  const TensorInfo info = *checkpoint.find("embed.weight");
  EXPECT_THAT(checkpoint.tensor("embed.weight"),
              StatusIs(Code::kResourceExhausted, HasSubstr("cannot map")));
  EXPECT_THAT(checkpoint.mutable_view(info), StatusIs(Code::kResourceExhausted));
  Blob copy(info.bytes);
  ASSERT_OK(checkpoint.read(info, copy));
  EXPECT_EQ(copy, content(info));
}

TEST_F(ViewTest, ReadWantsTheExactSize) {
  const Checkpoint checkpoint = open();
  const TensorInfo info = *checkpoint.find("embed.weight");
  for (std::uint64_t size : {info.bytes - 1, info.bytes + 1, std::uint64_t{0}}) {
    Blob destination(size);
    EXPECT_THAT(checkpoint.read(info, destination),
                StatusIs(Code::kInvalidArgument, HasSubstr(std::to_string(size))));
  }
}

}  // namespace
}  // namespace ingot::testing
