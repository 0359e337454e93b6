// Slices against a reference that walks element by element.
#include <cstring>
#include <random>

#include "io/fault_file_system.h"
#include "io/memory_file_system.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::HasSubstr;

std::vector<std::int64_t> row_major(std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// The slice, element by element. Whole-byte dtypes.
Blob naive_slice(const TensorInfo& tensor, const Blob& content, const Slice& slice) {
  const std::size_t rank = tensor.shape.size();
  const auto size = static_cast<std::size_t>(dtype_bits(tensor.dtype) / 8);
  const std::vector<std::int64_t> strides =
      tensor.strides.empty()
          ? row_major(tensor.shape)
          : std::vector<std::int64_t>(tensor.strides.begin(), tensor.strides.end());
  Blob result;
  std::vector<std::int64_t> at = slice.begin;
  for (std::size_t i = 0; i < rank; ++i) {
    if (slice.begin[i] == slice.end[i]) return result;
  }
  for (;;) {
    std::size_t element = 0;
    for (std::size_t i = 0; i < rank; ++i) element += static_cast<std::size_t>(at[i] * strides[i]);
    const auto from = content.begin() + static_cast<std::ptrdiff_t>(element * size);
    result.insert(result.end(), from, from + static_cast<std::ptrdiff_t>(size));
    std::size_t i = rank;
    while (i > 0 && ++at[i - 1] == slice.end[i - 1]) {
      at[i - 1] = slice.begin[i - 1];
      --i;
    }
    if (i == 0) return result;
  }
}

class SliceTest : public ::testing::Test {
 protected:
  Checkpoint open(const WritePlan& plan) {
    plan_ = plan;
    EXPECT_OK(write_sample(path_, plan));
    return *Checkpoint::open(path_);
  }
  static std::size_t slice_bytes(const TensorInfo& tensor, const Slice& slice) {
    std::size_t elements = 1;
    for (std::size_t i = 0; i < slice.begin.size(); ++i) {
      elements *= static_cast<std::size_t>(slice.end[i] - slice.begin[i]);
    }
    return elements * static_cast<std::size_t>(dtype_bits(tensor.dtype)) / 8;
  }
  void expect_slice(const Checkpoint& checkpoint, std::string_view name, const Slice& slice) {
    const TensorInfo tensor = *checkpoint.find(name);
    const Blob expected = naive_slice(tensor, tensor_content(plan_, tensor), slice);
    for (Verify mode : {Verify::kYes, Verify::kNo}) {
      Blob found(slice_bytes(tensor, slice));
      ASSERT_OK(checkpoint.read_slice(tensor, slice, found, mode));
      ASSERT_EQ(found, expected) << name;
    }
  }

  WritePlan plan_;
  io::MemoryFileSystem memory_;
  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
};

TEST_F(SliceTest, RowsColumnsAndBoxes) {
  WritePlan plan;
  plan.add({.name = "t", .shape = {20, 30, 40}});
  const Checkpoint checkpoint = open(plan);
  expect_slice(checkpoint, "t", {{0, 0, 0}, {20, 30, 40}});
  expect_slice(checkpoint, "t", {{3, 0, 0}, {4, 30, 40}});
  expect_slice(checkpoint, "t", {{0, 7, 0}, {20, 8, 40}});
  expect_slice(checkpoint, "t", {{0, 0, 39}, {20, 30, 40}});
  expect_slice(checkpoint, "t", {{1, 2, 3}, {19, 28, 37}});
  expect_slice(checkpoint, "t", {{5, 5, 5}, {5, 6, 7}});
}

// Shapes, strides, dtypes and boxes by chance, from a fixed seed; most tensors span several chunks.
TEST_F(SliceTest, AgreesWithTheReference) {
  std::mt19937_64 random(20240607);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  WritePlan plan;
  const DType dtypes[] = {DType::kUInt8, DType::kFloat16, DType::kFloat32, DType::kComplex128};
  for (int number = 0; number < 40; ++number) {
    TensorSpec spec;
    spec.name = "t" + std::to_string(number);
    spec.dtype = dtypes[below(4)];
    const std::int64_t rank = below(6);
    const std::int64_t largest = rank <= 2 ? 400 : rank == 3 ? 40 : 9;
    for (std::int64_t i = 0; i < rank; ++i) spec.shape.push_back(1 + below(largest));
    if (number % 2 == 1) {  // permuted dimensions with gaps, or overlapping windows
      spec.strides = row_major(spec.shape);
      std::shuffle(spec.strides.begin(), spec.strides.end(), random);
      for (std::int64_t& stride : spec.strides) stride += below(3);
    }
    plan.add(spec);
  }
  const Checkpoint checkpoint = open(plan);
  for (int round = 0; round < 600; ++round) {
    const TensorInfo tensor = checkpoint.info(static_cast<std::uint32_t>(below(40)));
    Slice slice;
    for (std::int64_t extent : tensor.shape) {
      slice.begin.push_back(below(extent));
      slice.end.push_back(slice.begin.back() + below(extent - slice.begin.back() + 1));
    }
    expect_slice(checkpoint, tensor.name, slice);
    if (HasFatalFailure()) return;
  }
}

TEST_F(SliceTest, ASliceOfAView) {
  WritePlan plan;
  const StorageId base = plan.add_storage(300000);
  plan.add({.name = "t", .shape = {100, 500}, .byte_offset = 77772, .storage = base});
  const Checkpoint checkpoint = open(plan);
  expect_slice(checkpoint, "t", {{10, 100}, {90, 101}});
  expect_slice(checkpoint, "t", {{0, 0}, {100, 500}});
}

TEST_F(SliceTest, EmptySpansMeanEverything) {
  const Checkpoint checkpoint = open(mixed_plan());
  for (const char* name : {"embed.weight", "steps", "none", "packed"}) {
    const TensorInfo tensor = *checkpoint.find(name);
    Blob found(tensor.bytes);
    ASSERT_OK(checkpoint.read_slice(tensor, {}, found)) << name;
    EXPECT_EQ(found, tensor_content(plan_, tensor));
  }
}

// Four bits: an even first column and an even number of them are whole bytes. Six: multiples of 4.
TEST_F(SliceTest, PackedTypesAreCutAtBytes) {
  WritePlan plan;
  plan.add({.name = "int4", .dtype = DType::kInt4, .shape = {10, 64}});
  plan.add({.name = "float6", .dtype = DType::kFloat6E2M3FN, .shape = {10, 64}});
  const Checkpoint checkpoint = open(plan);
  const TensorInfo int4 = *checkpoint.find("int4");
  const Blob content = tensor_content(plan, int4);
  Blob found(2 * 3);
  ASSERT_OK(checkpoint.read_slice(int4, {{4, 2}, {6, 8}}, found));
  EXPECT_EQ(std::memcmp(&found[0], &content[4 * 32 + 1], 3), 0);
  EXPECT_EQ(std::memcmp(&found[3], &content[5 * 32 + 1], 3), 0);
  EXPECT_THAT(checkpoint.read_slice(int4, {{4, 1}, {6, 7}}, found),
              StatusIs(Code::kInvalidArgument, HasSubstr("int4")));
  EXPECT_THAT(checkpoint.read_slice(int4, {{4, 2}, {5, 3}}, found),
              StatusIs(Code::kInvalidArgument));

  const TensorInfo float6 = *checkpoint.find("float6");
  const Blob six = tensor_content(plan, float6);
  ASSERT_OK(checkpoint.read_slice(float6, {{9, 60}, {10, 64}}, std::span(found).first(3)));
  EXPECT_EQ(std::memcmp(found.data(), &six[9 * 48 + 45], 3), 0);
  EXPECT_THAT(checkpoint.read_slice(float6, {{9, 58}, {10, 62}}, std::span(found).first(3)),
              StatusIs(Code::kInvalidArgument));
}

TEST_F(SliceTest, RefusesWhatIsOutside) {
  const Checkpoint checkpoint = open(mixed_plan());
  const TensorInfo tensor = *checkpoint.find("embed.weight");  // 100 x 501
  Blob found(4);
  const Slice bad[] = {{{0, 0}, {101, 1}}, {{-1, 0}, {1, 1}}, {{2, 0}, {1, 1}},
                       {{0}, {1}},         {{0, 0}, {1}},     {{0, 0, 0}, {1, 1, 1}}};
  for (const Slice& slice : bad) {
    EXPECT_THAT(checkpoint.read_slice(tensor, slice, found),
                StatusIs(Code::kInvalidArgument, HasSubstr("embed.weight")));
  }
  EXPECT_THAT(checkpoint.read_slice(tensor, {{0, 0}, {1, 2}}, found),
              StatusIs(Code::kInvalidArgument, HasSubstr("expected 8, found 4")));
}

// Descriptions are plain values: what was edited must not lead out of the tensor or of a buffer.
TEST_F(SliceTest, RefusesEditedDescriptions) {
  const Checkpoint checkpoint = open(mixed_plan());
  const TensorInfo tensor = *checkpoint.find("embed.weight");  // 100 x 501
  Blob found(501 * 4);
  const std::int64_t longer[] = {std::int64_t{1} << 40, 501};
  const std::int64_t deeper[] = {100, 501, 1};
  const std::int64_t steps[] = {std::int64_t{1} << 40, 1};
  for (const Verify mode : {Verify::kYes, Verify::kNo}) {
    for (const std::int64_t row : {std::int64_t{100}, std::int64_t{5000}, std::int64_t{1} << 35}) {
      TensorInfo edited = tensor;
      edited.shape = longer;
      EXPECT_THAT(checkpoint.read_slice(edited, {{row, 0}, {row + 1, 501}}, found, mode),
                  StatusIs(Code::kInvalidArgument, HasSubstr("embed.weight")));
    }
    TensorInfo strided = tensor;
    strided.strides = steps;
    EXPECT_THAT(checkpoint.read_slice(strided, {{1, 0}, {2, 501}}, found, mode),
                StatusIs(Code::kInvalidArgument, HasSubstr("embed.weight")));
    strided.shape = deeper;
    EXPECT_THAT(checkpoint.read_slice(strided, {{0, 0, 0}, {1, 501, 1}}, found, mode),
                StatusIs(Code::kInvalidArgument, HasSubstr("rank")));
  }
}

// A row of a tensor of four chunks: one read of one chunk, and no more.
TEST_F(SliceTest, ReadsOnlyTheChunksItTouches) {
  open(mixed_plan());
  memory_.put(path_, read_file(path_));
  io::FaultFileSystem counting(memory_);
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint,
                       Checkpoint::open(path_, {.file_system = &counting}));
  const TensorInfo tensor = *checkpoint.find("embed.weight");
  Blob found(501 * 4);
  counting.clear();
  ASSERT_OK(checkpoint.read_slice(tensor, {{50, 0}, {51, 501}}, found));
  EXPECT_EQ(counting.calls(), 1U);
  Blob column(100 * 4);
  counting.clear();
  ASSERT_OK(checkpoint.read_slice(tensor, {{0, 7}, {100, 8}}, column));
  EXPECT_EQ(counting.calls(), 4U);
}

// Walking a transposed matrix in the order of its result would read every chunk for every row.
TEST_F(SliceTest, ReadsEachChunkOfATransposedTensorOnce) {
  WritePlan plan;
  plan.add({.name = "t", .shape = {300, 300}, .strides = {1, 300}});
  open(plan);
  memory_.put(path_, read_file(path_));
  io::FaultFileSystem counting(memory_);
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint,
                       Checkpoint::open(path_, {.file_system = &counting}));
  const TensorInfo tensor = *checkpoint.find("t");
  Blob found(300 * 300 * 4);
  counting.clear();
  ASSERT_OK(checkpoint.read_slice(tensor, {}, found));
  EXPECT_EQ(counting.calls(), checkpoint.storage(0).chunks);
}

TEST_F(SliceTest, DamageElsewhereDoesNotMatter) {
  const Checkpoint checkpoint = open(mixed_plan());
  const TensorInfo tensor = *checkpoint.find("embed.weight");
  flip_bit(path_, offset_of(checkpoint, tensor) + 70000);
  Blob row(501 * 4);
  EXPECT_OK(checkpoint.read_slice(tensor, {{0, 0}, {1, 501}}, row));
  EXPECT_OK(checkpoint.read_slice(tensor, {{99, 0}, {100, 501}}, row));
  EXPECT_THAT(checkpoint.read_slice(tensor, {{40, 0}, {41, 501}}, row),
              StatusIs(Code::kChecksumMismatch, HasSubstr("chunk 2/4")));
}

}  // namespace
}  // namespace ingot::testing
