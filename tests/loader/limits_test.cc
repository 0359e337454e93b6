// Large files: a million tensors, and what opening one costs in memory.
#include "ingot/verify.h"

#include "tests/loader/counting_new.h"
#include "tests/loader/sample.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

std::string name_of_tensor(std::uint32_t i) {
  return "model.layers." + std::to_string(i % 1000) + ".expert." + std::to_string(i / 1000);
}

// `count` tensors of 8 bytes each.
void write_many(const std::string& path, std::uint32_t count) {
  WritePlan plan;
  for (std::uint32_t i = 0; i < count; ++i) {
    plan.add({.name = name_of_tensor(i), .dtype = DType::kInt32, .shape = {2}});
  }
  ASSERT_OK_AND_ASSIGN(Writer writer, Writer::create(path, plan, quick_options()));
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t content[2] = {i, ~i};
    ASSERT_OK(writer.write(TensorId{i}, std::as_bytes(std::span(content))));
  }
  ASSERT_OK(writer.commit());
}

TEST(LimitsTest, AMillionTensors) {
  const std::uint32_t count = kSanitized ? 100'000 : 1'000'000;
  Scratch scratch;
  const std::string path = scratch.path("many.ingot");
  write_many(path, count);
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path));
  ASSERT_EQ(checkpoint.tensor_count(), count);
  for (std::uint32_t i = 0; i < count; i += 7) {
    const auto found = checkpoint.find(name_of_tensor(i));
    ASSERT_TRUE(found && found->ordinal == i);
  }
  EXPECT_FALSE(checkpoint.find("model.layers.1000.expert.0"));

  std::uint32_t content[2] = {};
  const TensorInfo last = *checkpoint.find(name_of_tensor(count - 1));
  ASSERT_OK(checkpoint.read(last, std::as_writable_bytes(std::span(content))));
  EXPECT_EQ(content[0], count - 1);

  for (ReadPath how : {ReadPath::kRead, ReadPath::kMapping}) {
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, verify(checkpoint, {.path = how}));
    EXPECT_TRUE(report.intact());
    EXPECT_EQ(report.chunks, count);
    EXPECT_EQ(report.bytes, checkpoint.file().file_bytes);
  }
  // Many errors: all counted, the first ones named, in one pass over the names.
  Blob file = read_file(path);
  for (std::uint64_t at = 4096; at < checkpoint.file().data_end; at += 16) file[at] ^= std::byte{1};
  write_file(path, file);
  ASSERT_OK_AND_ASSIGN(const Checkpoint damaged, Checkpoint::open(path));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, verify(damaged, {.keep_going = true}));
  EXPECT_EQ(report.error_count, count);
  ASSERT_EQ(report.errors.size(), 1000U);
  EXPECT_EQ(report.errors[999].location().tensor, name_of_tensor(999));
}

// Of a file that was really written, by the loader's own numbers: less than 5 % is padding.
TEST(LimitsTest, AHundredThousandSmallTensorsCostLittlePadding) {
  constexpr std::uint32_t kCount = 100'000;
  Scratch scratch;
  for (const std::uint64_t bytes : {1024U, 1000U}) {
    const std::string path = scratch.path("small.ingot");
    WritePlan plan;
    for (std::uint32_t i = 0; i < kCount; ++i) {
      plan.add({.name = name_of_tensor(i),
                .dtype = DType::kUInt8,
                .shape = {static_cast<std::int64_t>(bytes)}});
    }
    ASSERT_OK_AND_ASSIGN(Writer writer, Writer::create(path, plan, quick_options()));
    const Blob content = noise(bytes, 1);
    for (std::uint32_t i = 0; i < kCount; ++i) ASSERT_OK(writer.write(TensorId{i}, content));
    ASSERT_OK(writer.commit());

    ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path));
    const FileInfo& file = checkpoint.file();
    std::uint64_t data = 0;
    for (std::uint32_t i = 0; i < checkpoint.storage_count(); ++i) {
      data += checkpoint.storage(i).bytes;
    }
    ASSERT_EQ(data, kCount * bytes);
    const std::uint64_t padding =
        file.file_bytes - 2 * 4096 - data - file.digest_table_bytes - file.index_bytes;
    EXPECT_LT(padding * 20, data) << bytes;
    EXPECT_LT((file.data_end - file.data_begin - data) * 20, data) << bytes;
    EXPECT_EQ(padding, writer.report().padding_bytes);
    EXPECT_EQ(std::filesystem::file_size(path), file.file_bytes);
  }
}

// Beside the private copies of index and digest table, which are not allocated by operator new.
TEST(LimitsTest, MemoryDoesNotGrowWithTheNumberOfTensors) {
  Scratch scratch;
  std::uint64_t calls[2] = {};
  std::uint64_t bytes[2] = {};
  const std::uint32_t counts[2] = {10, 20'000};
  for (int i = 0; i < 2; ++i) {
    const std::string path = scratch.path(std::to_string(i));
    write_many(path, counts[i]);
    const std::uint64_t calls_before = allocation_count();
    const std::uint64_t bytes_before = live_bytes();
    const Result<Checkpoint> checkpoint = Checkpoint::open(path);
    calls[i] = allocation_count() - calls_before;
    bytes[i] = live_bytes() - bytes_before;
    ASSERT_OK(checkpoint);
  }
  EXPECT_EQ(calls[0], calls[1]);
  EXPECT_EQ(bytes[0], bytes[1]);
  EXPECT_LT(bytes[1], 16384U);
}

TEST(LimitsTest, LookingUpAllocatesNothing) {
  Scratch scratch;
  write_many(scratch.path("f"), 1000);
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(scratch.path("f")));
  const std::string name = name_of_tensor(500);
  const std::uint64_t before = allocation_count();
  std::uint64_t bytes = checkpoint.find(name)->bytes;
  checkpoint.for_each({}, [&](const TensorInfo& tensor) { bytes += tensor.bytes; });
  const std::uint64_t after = allocation_count();
  EXPECT_EQ(after, before);
  EXPECT_EQ(bytes, 1001U * 8);
}

}  // namespace
}  // namespace ingot::testing
