// Finding and listing what a checkpoint holds, without reading data.
#include <algorithm>

#include "format/digest.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LookupTest : public ::testing::Test {
 protected:
  Checkpoint open(const WritePlan& plan, const WriterOptions& options = quick_options()) {
    EXPECT_OK(write_sample(path_, plan, options));
    return *Checkpoint::open(path_);
  }
  static std::vector<std::string> names(const Checkpoint& checkpoint, const TensorFilter& filter) {
    std::vector<std::string> result;
    checkpoint.for_each(filter, [&](const TensorInfo& t) { result.emplace_back(t.name); });
    return result;
  }

  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
};

TEST_F(LookupTest, FindsEveryNameAndNoOther) {
  const WritePlan plan = mixed_plan();
  const Checkpoint checkpoint = open(plan);
  for (std::uint32_t i = 0; i < plan.tensor_count(); ++i) {
    const auto found = checkpoint.find(plan.tensors()[i].name);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->ordinal, i);
  }
  for (std::string_view name : {"", "embed", "embed.weigh", "embed.weight ", "zzz"}) {
    EXPECT_FALSE(checkpoint.find(name)) << name;
    EXPECT_THAT(checkpoint.tensor(name), StatusIs(Code::kNotFound, HasSubstr(path_)));
  }
}

TEST_F(LookupTest, IteratesInRegistrationOrder) {
  const Checkpoint checkpoint = open(mixed_plan());
  EXPECT_THAT(names(checkpoint, {}),
              ElementsAre("embed.weight", "norm.mean", "adam/exp_avg", "steps", "none",
                          "head.weight", "head.tail", "conv.weight", "packed", "quantised"));
  EXPECT_THAT(names(checkpoint, {.prefix = "head."}), ElementsAre("head.weight", "head.tail"));
  EXPECT_THAT(names(checkpoint, {.role = Role::kBuffer}), ElementsAre("norm.mean"));
  EXPECT_THAT(names(checkpoint, {.role = Role::kBuffer, .prefix = "head."}), ElementsAre());
}

TEST_F(LookupTest, DescribesTheFile) {
  WriterOptions options = quick_options();
  options.sha256 = true;
  options.alignment = 65536;
  const Checkpoint checkpoint = open(mixed_plan(), options);
  const FileInfo& file = checkpoint.file();
  EXPECT_EQ(file.path, path_);
  EXPECT_EQ(file.format_major, 1);
  EXPECT_EQ(file.file_bytes, std::filesystem::file_size(path_));
  EXPECT_EQ(file.data_begin, 4096U);
  EXPECT_EQ(file.chunk_bytes, 65536U);
  EXPECT_EQ(file.alignment, 65536U);
  EXPECT_TRUE(file.root_sha256);
  const StorageInfo last = checkpoint.storage(checkpoint.storage_count() - 1);
  EXPECT_EQ(file.data_end, last.offset + last.bytes);
}

TEST_F(LookupTest, ChunkDigestsAreThoseOfTheBytes) {
  const WritePlan plan = mixed_plan();
  const Checkpoint checkpoint = open(plan);
  const TensorInfo tensor = *checkpoint.find("embed.weight");
  const StorageInfo storage = checkpoint.storage(tensor.storage);
  const Blob content = tensor_content(plan, tensor);
  ASSERT_EQ(storage.chunks, 4U);
  for (std::uint64_t i = 0; i < storage.chunks; ++i) {
    const auto chunk = std::span(content).subspan(i * 65536).first(
        std::min<std::size_t>(65536, content.size() - i * 65536));
    EXPECT_EQ(checkpoint.chunk_digest(storage.first_chunk + i), format::xxh3_128(chunk));
  }
}

TEST_F(LookupTest, EqualStoragesHaveEqualDigests) {
  WritePlan plan;
  const TensorId first = plan.add({.name = "a", .shape = {50000}});
  const TensorId second = plan.add({.name = "b", .shape = {50000}});
  const TensorId third = plan.add({.name = "c", .shape = {50000}});
  ASSERT_OK_AND_ASSIGN(Writer writer, Writer::create(path_, plan, quick_options()));
  Blob content = noise(200000, 1);
  ASSERT_OK(writer.write(first, content));
  ASSERT_OK(writer.write(second, content));
  content.back() ^= std::byte{1};
  ASSERT_OK(writer.write(third, content));
  ASSERT_OK(writer.commit());
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path_));
  const auto digest = [&](const char* name) {
    return checkpoint.storage_digest(checkpoint.find(name)->storage);
  };
  EXPECT_EQ(digest("a"), digest("b"));
  EXPECT_NE(digest("a"), digest("c"));
}

// More digests than are padded.
TEST_F(LookupTest, DigestOfALongStorage) {
  WritePlan plan;
  plan.add({.name = "a", .dtype = DType::kUInt8, .shape = {65536 * 20}});
  plan.add({.name = "b", .dtype = DType::kUInt8, .shape = {65536 * 20}});
  const Checkpoint checkpoint = open(plan);
  EXPECT_NE(checkpoint.storage_digest(0), checkpoint.storage_digest(1));
  EXPECT_EQ(checkpoint.storage_digest(0), checkpoint.storage_digest(0));
}

}  // namespace
}  // namespace ingot::testing
