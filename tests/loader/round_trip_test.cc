// What the writer was given comes back, by every way there is to read it.
#include <algorithm>
#include <bit>

#include "ingot/verify.h"

#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

class RoundTripTest : public ::testing::Test {
 protected:
  // Writes, opens, reads every tensor in three ways, and verifies by every path.
  void check(const WritePlan& plan, const WriterOptions& options = quick_options()) {
    ASSERT_OK(write_sample(path_, plan, options));
    ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path_));
    ASSERT_EQ(checkpoint.tensor_count(), plan.tensor_count());
    for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
      check_tensor(checkpoint, plan, plan.tensors()[i], checkpoint.info(i));
    }
    for (ReadPath path : {ReadPath::kRead, ReadPath::kMapping}) {
      ASSERT_OK_AND_ASSIGN(const VerifyReport report, verify(checkpoint, {.path = path}));
      EXPECT_TRUE(report.intact()) << report.errors.at(0).message();
      EXPECT_EQ(report.path, path);
      EXPECT_EQ(report.bytes, checkpoint.file().file_bytes);
      EXPECT_EQ(report.chunks, checkpoint.chunk_count());
    }
  }

  void check_tensor(const Checkpoint& checkpoint, const WritePlan& plan, const TensorSpec& spec,
                    const TensorInfo& info) {
    SCOPED_TRACE(spec.name);
    EXPECT_EQ(info.name, spec.name);
    EXPECT_EQ(info.dtype, spec.dtype);
    EXPECT_EQ(info.role, spec.role);
    EXPECT_EQ(info.requires_grad, spec.requires_grad);
    EXPECT_TRUE(std::ranges::equal(info.shape, spec.shape));
    const Blob content = tensor_content(plan, info);
    ASSERT_OK_AND_ASSIGN(const TensorView view, checkpoint.tensor(spec.name));
    EXPECT_TRUE(std::ranges::equal(view.bytes, content));
    for (Verify mode : {Verify::kYes, Verify::kNo}) {
      Blob copy(info.bytes);
      ASSERT_OK(checkpoint.read(info, copy, mode));
      EXPECT_EQ(copy, content);
    }
  }

  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
};

TEST_F(RoundTripTest, EveryDtype) {
  WritePlan plan;
  for (std::uint8_t number = kFirstDType; number <= kLastDType; ++number) {
    TensorSpec spec;
    spec.dtype = static_cast<DType>(number);
    spec.name = dtype_name(spec.dtype);
    spec.shape = {3, 8};
    if (is_quantized(spec.dtype)) spec.quantization = QuantizationSpec{.scale = 0.1};
    plan.add(spec);
  }
  check(plan);
}

// F-66: no value is refused, of a bool as little as of a float.
TEST_F(RoundTripTest, EveryByteIsAnElementOfEveryDtype) {
  Blob content(768);  // whole elements of 6 bits, too
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i);
  WritePlan plan;
  for (std::uint8_t number = kFirstDType; number <= kLastDType; ++number) {
    TensorSpec spec;
    spec.dtype = static_cast<DType>(number);
    spec.name = dtype_name(spec.dtype);
    spec.shape = {static_cast<std::int64_t>(content.size() * 8) / dtype_bits(spec.dtype)};
    if (is_quantized(spec.dtype)) spec.quantization = QuantizationSpec{.scale = 0.1};
    plan.add(spec);
  }
  ASSERT_OK_AND_ASSIGN(Writer writer, Writer::create(path_, plan, quick_options()));
  for (std::uint32_t i = 0; i < plan.tensor_count(); ++i) {
    ASSERT_OK(writer.write(TensorId{i}, content));
  }
  ASSERT_OK(writer.commit());
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path_));
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    Blob copy(content.size());
    ASSERT_OK(checkpoint.read(checkpoint.info(i), copy));
    EXPECT_EQ(copy, content) << checkpoint.info(i).name;
  }
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, verify(checkpoint));
  EXPECT_TRUE(report.intact());
}

TEST_F(RoundTripTest, NothingAtAll) { check(WritePlan()); }

TEST_F(RoundTripTest, OneByte) {
  WritePlan plan;
  plan.add({.name = "byte", .dtype = DType::kUInt8, .shape = {}});
  check(plan);
}

TEST_F(RoundTripTest, EmptyTensorsAmongOthers) {
  WritePlan plan;
  plan.add({.name = "a", .shape = {0}});
  plan.add({.name = "b", .shape = {5}});
  plan.add({.name = "c", .shape = {3, 0, 4}});
  plan.add({.name = "d", .shape = {70000}});
  plan.add({.name = "e", .shape = {0, 0}});
  check(plan);
}

TEST_F(RoundTripTest, EverythingMixed) { check(mixed_plan()); }

TEST_F(RoundTripTest, WithSha256) {
  WriterOptions options = quick_options();
  options.sha256 = true;
  check(mixed_plan(), options);
}

TEST_F(RoundTripTest, WithHugeAlignment) {
  WriterOptions options = quick_options();
  options.alignment = std::uint64_t{2} << 20;
  check(mixed_plan(), options);
}

TEST_F(RoundTripTest, WithOneMebibyteChunks) {
  WriterOptions options = quick_options();
  options.chunk_bytes = std::uint64_t{1} << 20;
  WritePlan plan = mixed_plan();
  plan.add({.name = "large", .shape = {1100, 1100}});
  check(plan, options);
}

TEST_F(RoundTripTest, ChunksLargerThanAnyBuffer) {
  WriterOptions options = quick_options();
  options.chunk_bytes = std::uint64_t{4} << 20;
  options.sha256 = true;
  WritePlan plan = mixed_plan();
  plan.add({.name = "large", .shape = {1500, 1500}});
  check(plan, options);
}

TEST_F(RoundTripTest, ChunkBorders) {
  WritePlan plan;
  for (std::int64_t bytes : {65535, 65536, 65537, 131071, 131072, 131073}) {
    plan.add({.name = "t" + std::to_string(bytes), .dtype = DType::kUInt8, .shape = {bytes}});
  }
  check(plan);
}

TEST_F(RoundTripTest, TiedTensorsShareBytes) {
  ASSERT_OK(write_sample(path_, mixed_plan()));
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path_));
  ASSERT_OK_AND_ASSIGN(const TensorView embed, checkpoint.tensor("embed.weight"));
  ASSERT_OK_AND_ASSIGN(const TensorView head, checkpoint.tensor("head.weight"));
  ASSERT_OK_AND_ASSIGN(const TensorView tail, checkpoint.tensor("head.tail"));
  EXPECT_EQ(embed.info.storage, head.info.storage);
  EXPECT_EQ(embed.bytes.data(), head.bytes.data());
  EXPECT_EQ(tail.bytes.data(), embed.bytes.data() + 150000);
}

TEST_F(RoundTripTest, StridesAndQuantization) {
  ASSERT_OK(write_sample(path_, mixed_plan()));
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path_));
  EXPECT_THAT(checkpoint.find("conv.weight")->strides, ::testing::ElementsAre(1, 30, 1200));
  EXPECT_TRUE(checkpoint.find("embed.weight")->is_contiguous());
  const TensorInfo quantised = *checkpoint.find("quantised");
  ASSERT_TRUE(quantised.quantization);
  EXPECT_EQ(quantised.quantization->scheme, QuantizationScheme::kPerChannelAffine);
  EXPECT_EQ(checkpoint.storage(quantised.quantization->scales_storage).bytes, 16 * 8);
}

TEST_F(RoundTripTest, Attachments) {
  const WritePlan plan = mixed_plan();
  ASSERT_OK(write_sample(path_, plan));
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path_));
  ASSERT_EQ(checkpoint.attachment_count(), 2U);
  for (const WritePlan::Attachment& written : plan.attachments()) {
    const auto found = checkpoint.find_attachment(written.name);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->media_type, written.media_type);
    ASSERT_OK_AND_ASSIGN(const Blob content, checkpoint.read_attachment(*found));
    EXPECT_EQ(content, storage_content(plan, written.storage));
  }
  EXPECT_FALSE(checkpoint.find_attachment("config"));
  EXPECT_FALSE(checkpoint.find_attachment("zzz"));
}

TEST_F(RoundTripTest, StateTree) {
  WritePlan plan = mixed_plan();
  StateValue root = StateValue::dict();
  root.set("nan", StateValue::real(std::bit_cast<double>(0x7FF8000000000123)));
  root.set("best", StateValue::tensor("head.weight"));
  plan.set_state(std::move(root));
  ASSERT_OK(write_sample(path_, plan));
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path_));
  const auto state = checkpoint.state();
  ASSERT_TRUE(state);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(state->find("nan")->as_float64()), 0x7FF8000000000123);
  EXPECT_EQ(checkpoint.info(state->find("best")->as_tensor()).name, "head.weight");
}

}  // namespace
}  // namespace ingot::testing
