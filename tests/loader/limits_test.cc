// Large files: a million tensors, more than a tebibyte, and what opening one costs in memory.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "ingot/verify.h"

#include "format/digest.h"
#include "format/header.h"
#include "format/index_model.h"
#include "format/layout.h"
#include "tests/loader/counting_new.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

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

// A sparse file of one tensor of zeros, made without writing it.
class SparseFileTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kBytes = (std::uint64_t{1} << 41) + 12345;

  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "sanitizers take the address space for themselves";
    file_ = ::open(path_.c_str(), O_CREAT | O_RDWR, 0600);
    if (::ftruncate(file_, static_cast<off_t>(kBytes)) != 0) {
      GTEST_SKIP() << "this file system has no files of 2 TiB";
    }
    make();
    ::close(file_);
  }

  void make() {
    format::Header header;
    format::DataLayout layout(header.chunk_bytes(), header.alignment());
    format::PlacedStorage placed;
    ASSERT_TRUE(layout.place(kBytes, &placed));
    format::IndexModel model;
    model.storages.push_back({placed.offset, placed.bytes, placed.first_chunk, 0, 1});
    model.tensors.emplace_back();
    model.tensors[0].name = "huge";
    model.tensors[0].role = Role::kParameter;
    model.tensors[0].shape = {static_cast<std::int64_t>(kBytes)};
    ASSERT_OK_AND_ASSIGN(const Blob index, format::encode_index(model));

    Blob table(layout.chunks() * 16);
    const Blob zeros(header.chunk_bytes());
    const Digest128 full = digest_of(zeros);
    for (std::uint64_t i = 0; i < layout.chunks(); ++i) put_digest(table, i, full);
    put_digest(table, layout.chunks() - 1, digest_of(std::span(zeros).first(12345)));

    ASSERT_OK_AND_ASSIGN(const format::TailLayout tail,
                         format::tail_layout(layout.end(), layout.chunks(), false, index.size()));
    header.file_bytes = tail.file_bytes;
    header.data_end = layout.end();
    header.digests_offset = tail.digests_offset;
    header.digests_bytes = tail.digests_bytes;
    header.digests_digest = digest_of(table);
    header.index_offset = tail.index_offset;
    header.index_bytes = tail.index_bytes;
    header.index_digest = digest_of(index);
    const format::HeaderPage page = format::encode_header(header);
    put(0, page);
    put(tail.digests_offset, table);
    put(tail.index_offset, index);
    put(tail.second_header_offset, page);
  }
  static void put_digest(Blob& table, std::uint64_t i, const Digest128& digest) {
    store_le(std::span(table), i * 16, digest.low);
    store_le(std::span(table), i * 16 + 8, digest.high);
  }
  void put(std::uint64_t offset, std::span<const std::byte> bytes) {
    ASSERT_EQ(::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  }

  // Lets the process have `bytes` more address space than it has now, and no more.
  static void limit_address_space(std::uint64_t bytes) {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t pages = 0;
    statm >> pages;
    struct rlimit limit {};
    limit.rlim_cur = limit.rlim_max = pages * 4096 + bytes;
    if (::setrlimit(RLIMIT_AS, &limit) != 0) std::abort();
  }
  // In the child: what a user does with the file.
  void use_with(std::uint64_t address_space, bool mapped) {
    limit_address_space(address_space);
    ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path_));
    const TensorInfo huge = *checkpoint.find("huge");
    EXPECT_EQ(huge.bytes, kBytes);
    const Result<TensorView> view = checkpoint.view(huge);
    if (mapped) {
      ASSERT_OK(view);
      EXPECT_EQ(view->bytes.back(), std::byte{0});
    } else {
      EXPECT_THAT(view, StatusIs(Code::kResourceExhausted, ::testing::HasSubstr("cannot map")));
    }
    Blob part(3'000'000, std::byte{1});
    const auto end = static_cast<std::int64_t>(kBytes);
    ASSERT_OK(checkpoint.read_slice(huge, {{end - 3'000'000}, {end}}, part));
    EXPECT_EQ(part, Blob(3'000'000));
    ASSERT_OK(verify(checkpoint, {.level = VerifyLevel::kIndex}));
  }

  Scratch scratch_;
  std::string path_ = scratch_.path("sparse.ingot");
  int file_ = -1;
};

constexpr std::uint64_t kBudget = std::uint64_t{256} << 20;

TEST_F(SparseFileTest, OpensWithinTheBudget) {
  EXPECT_EXIT(
      {
        use_with(kBytes + kBudget, true);
        _exit(HasFailure() ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(SparseFileTest, OpensWithoutRoomForTheMapping) {
  EXPECT_EXIT(
      {
        use_with(kBudget, false);
        _exit(HasFailure() ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "");
}

// The digest table alone is 32 MiB: without room even for that, an error and no end of the process.
TEST_F(SparseFileTest, NoRoomIsAnError) {
  EXPECT_EXIT(
      {
        limit_address_space(std::uint64_t{8} << 20);
        _exit(Checkpoint::open(path_).status().code() == Code::kResourceExhausted ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace ingot::testing
