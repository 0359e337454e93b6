// Every mistake that a plan or its options can hold, with its exact code and what the message says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "../support/sanitized.h"
#include "../support/status_matchers.h"
#include "model.h"

namespace ingot::testing {
namespace {

using ::testing::HasSubstr;

TensorSpec spec(std::string name = "t") {
  return {.name = std::move(name), .dtype = DType::kUInt8, .shape = {4, 4}};
}

Status created(const WritePlan& plan, WriterOptions options = {}) {
  io::MemoryFileSystem file_system;
  options.file_system = &file_system;
  const Status status = Writer::create("model.ingot", plan, options).status();
  EXPECT_TRUE(file_system.names().empty());
  return status;
}

Status created(const TensorSpec& tensor) {
  WritePlan plan;
  plan.add(tensor);
  return created(plan);
}

// Changes a good tensor.
Status created_with(const std::function<void(TensorSpec&)>& change) {
  TensorSpec changed = spec();
  change(changed);
  return created(changed);
}

auto invalid(const std::string& what) { return StatusIs(Code::kInvalidArgument, HasSubstr(what)); }

TEST(Plan, GivesEveryTensorAStorageJustLargeEnough) {
  WritePlan plan;
  const TensorId a = plan.add({.name = "a", .dtype = DType::kFloat64, .shape = {3, 5}});
  const TensorId b = plan.add({.name = "b", .shape = {2, 3}, .strides = {10, 1}});
  EXPECT_EQ(plan.storage_bytes()[static_cast<std::size_t>(plan.storage_of(a))], 120u);
  EXPECT_EQ(plan.storage_bytes()[static_cast<std::size_t>(plan.storage_of(b))], 52u);
  EXPECT_OK(created(plan));
}

TEST(Plan, PackedTensorsMaySpellOutRowMajorStrides) {
  EXPECT_OK(created({.name = "t", .dtype = DType::kInt4, .shape = {2, 4}, .strides = {4, 1}}));
}

TEST(Plan, Names) {
  EXPECT_THAT(created(spec("")), invalid("tensor 0 has no name"));
  EXPECT_OK(created(spec(std::string(1024, 'x'))));
  EXPECT_THAT(created(spec(std::string(1025, 'x'))), invalid("too long"));
  EXPECT_THAT(created(spec("a\nb")), invalid("control characters"));
  EXPECT_THAT(created(spec("\xC3")), invalid("UTF-8"));
  EXPECT_OK(created(spec("größe.重み")));
}

TEST(Plan, NamesAreUnique) {
  WritePlan plan;
  plan.add(spec("a"));
  plan.add(spec("b"));
  plan.add(spec("a"));
  const Status status = created(plan);
  EXPECT_THAT(status, invalid("two tensors have the name"));
  EXPECT_EQ(status.location().tensor, "a");
}

TEST(Plan, Shapes) {
  EXPECT_THAT(created_with([](auto& t) { t.shape = {2, -1}; }), invalid("negative dimension"));
  EXPECT_THAT(created_with([](auto& t) { t.shape.assign(65, 1); }), invalid("rank"));
  EXPECT_OK(created_with([](auto& t) { t.shape.assign(64, 1); }));
  EXPECT_THAT(created_with([](auto& t) {
                t.shape = {std::int64_t{1} << 62, 8};
              }),
              invalid("overflow"));
  EXPECT_THAT(created({.name = "t", .dtype = DType::kInt4, .shape = {3}}), invalid("whole bytes"));
}

TEST(Plan, Strides) {
  EXPECT_THAT(created_with([](auto& t) { t.strides = {1}; }), invalid("number of strides"));
  EXPECT_THAT(created_with([](auto& t) { t.strides = {-4, 1}; }), invalid("negative stride"));
  EXPECT_THAT(created({.name = "t", .dtype = DType::kInt4, .shape = {2, 4}, .strides = {1, 2}}),
              invalid("row-major"));
}

TEST(Plan, TensorsLieWithinTheirStorage) {
  WritePlan plan;
  TensorSpec view = spec("view");
  view.storage = plan.add_storage(17);
  view.byte_offset = 1;
  plan.add(view);
  EXPECT_OK(created(plan));
  view.name = "beyond";
  view.byte_offset = 2;
  plan.add(view);
  const Status status = created(plan);
  EXPECT_THAT(status, invalid("within its storage"));
  EXPECT_EQ(status.location().tensor, "beyond");
}

TEST(Plan, OffsetsAreMultiplesOfTheElement) {
  EXPECT_THAT(created({.name = "t", .shape = {1}, .byte_offset = 2}), invalid("multiple of 4"));
}

TEST(Plan, StoragesOfOtherPlansAreUnknown) {
  EXPECT_THAT(created_with([](auto& t) { t.storage = StorageId{7}; }), invalid("no such storage"));
}

TEST(Plan, UnusedStoragesAreRefused) {
  WritePlan plan;
  plan.add(spec());
  plan.add_storage(10);
  EXPECT_THAT(created(plan), invalid("no tensor refers"));
}

TEST(Plan, AnAttachmentsStorageIsItsOwn) {
  WritePlan plan;
  plan.attach("a", "text/plain", 16);
  TensorSpec tensor = spec();
  tensor.storage = plan.attachments()[0].storage;
  plan.add(tensor);
  EXPECT_THAT(created(plan), invalid("attachment"));
}

TEST(Plan, NumbersThatNameNothing) {
  EXPECT_THAT(created_with([](auto& t) { t.dtype = static_cast<DType>(0); }), invalid("dtype"));
  EXPECT_THAT(created_with([](auto& t) { t.dtype = static_cast<DType>(200); }), invalid("dtype"));
  EXPECT_THAT(created_with([](auto& t) { t.role = static_cast<Role>(0); }), invalid("role"));
  EXPECT_THAT(created_with([](auto& t) { t.role = static_cast<Role>(5); }), invalid("role"));
}

// A plan with one per-channel quantised tensor, changed.
Status quantized_with(const std::function<void(WritePlan&, TensorSpec&)>& change) {
  WritePlan plan;
  TensorSpec tensor{.name = "q", .dtype = DType::kQInt8, .shape = {4, 4}};
  tensor.quantization = QuantizationSpec{.scheme = QuantizationScheme::kPerChannelAffine,
                                         .axis = 1,
                                         .scales = plan.add_storage(32),
                                         .zero_points = plan.add_storage(32)};
  change(plan, tensor);
  plan.add(tensor);
  return created(plan);
}

TEST(Plan, Quantization) {
  EXPECT_OK(quantized_with([](auto&, auto&) {}));
  EXPECT_THAT(quantized_with([](auto&, auto& t) { t.dtype = DType::kInt8; }),
              invalid("dtype that has none"));
  EXPECT_THAT(quantized_with([](auto&, auto& t) { t.quantization.reset(); }),
              invalid("without quantisation"));
  EXPECT_THAT(quantized_with([](auto&, auto& t) { t.quantization->axis = 2; }), invalid("axis"));
  EXPECT_THAT(quantized_with([](auto&, auto& t) { t.quantization->axis = -1; }), invalid("axis"));
  EXPECT_THAT(quantized_with([](auto&, auto& t) { t.quantization->scales.reset(); }),
              invalid("scales is missing"));
  EXPECT_THAT(quantized_with(
                  [](auto& plan, auto& t) { t.quantization->zero_points = plan.add_storage(31); }),
              invalid("zero points: its size"));
  EXPECT_THAT(quantized_with([](auto&, auto& t) { t.quantization->scale = 2.0; }),
              invalid("of its own"));
  EXPECT_THAT(quantized_with([](auto&, auto& t) { t.quantization->scales = StorageId{99}; }),
              invalid("no such storage"));
  EXPECT_THAT(quantized_with([](auto&, auto& t) {
                t.quantization->scheme = QuantizationScheme::kPerChannelAffineFloatQParams;
              }),
              invalid("scales: its size"));
  EXPECT_THAT(quantized_with([](auto&, auto& t) {
                t.quantization->scheme = QuantizationScheme::kPerTensorAffine;
              }),
              invalid("per-tensor"));
  EXPECT_THAT(quantized_with([](auto&, auto& t) {
                t.quantization->scheme = static_cast<QuantizationScheme>(9);
              }),
              invalid("scheme"));
}

TEST(Plan, Attachments) {
  const auto attached = [](std::string name, std::string type) {
    WritePlan plan;
    plan.attach("first", "text/plain", 1);
    plan.attach(std::move(name), std::move(type), 1);
    return created(plan);
  };
  EXPECT_OK(attached("second", "text/plain"));
  EXPECT_THAT(attached("", "text/plain"), invalid("attachment 1 has no name"));
  EXPECT_THAT(attached("first", "text/plain"), invalid("two attachments"));
  EXPECT_THAT(attached("second", ""), invalid("media type"));
  EXPECT_THAT(attached("second", "text/größe"), invalid("media type"));
  EXPECT_THAT(attached("second", std::string(256, 'x')), invalid("media type"));
}

TEST(Plan, StateReferencesExistingTensors) {
  WritePlan plan;
  plan.add(spec());
  StateValue state = StateValue::dict();
  state.set("x", StateValue::tensor("nowhere"));
  plan.set_state(state);
  EXPECT_THAT(created(plan), invalid("nowhere"));
}

TEST(Plan, Options) {
  WritePlan plan;
  plan.add(spec());
  EXPECT_THAT(created(plan, {.chunk_bytes = 100'000}), invalid("chunk_bytes"));
  EXPECT_THAT(created(plan, {.chunk_bytes = 32768}), invalid("chunk_bytes"));
  EXPECT_THAT(created(plan, {.chunk_bytes = std::uint64_t{1} << 31}), invalid("chunk_bytes"));
  EXPECT_THAT(created(plan, {.alignment = 2048}), invalid("alignment"));
  EXPECT_THAT(created(plan, {.alignment = 3 << 20}), invalid("alignment"));
  EXPECT_THAT(created(plan, {.threads = -1}), invalid("threads"));
  EXPECT_THAT(created(plan, {.threads = 100'000}), invalid("threads"));
  EXPECT_THAT(created(plan, {.staging_bytes = 1000}), invalid("staging_bytes"));
}

TEST(Plan, ASparseSixteenTebibyteFileIsPlannedAndRefusedForSpaceAlone) {
  WritePlan plan;
  TensorSpec large = spec("large");
  large.storage = plan.add_storage(std::uint64_t{20} << 40);
  plan.add(large);
  io::MemoryFileSystem file_system;
  file_system.set_capacity(std::uint64_t{1} << 40);
  WriterOptions options = options_on(file_system);
  options.chunk_bytes = std::uint64_t{1} << 30;
  EXPECT_THAT(Writer::create("model.ingot", plan, options),
              StatusIs(Code::kResourceExhausted, HasSubstr("need 20.0 TiB")));
}

WritePlan plan_of(std::uint64_t bytes) {
  WritePlan plan;
  TensorSpec large = spec("large");
  large.storage = plan.add_storage(bytes);
  plan.add(large);
  return plan;
}

// The books of an exbibyte in chunks of 64 KiB are some 300 TiB.
TEST(Plan, SpaceIsAskedForBeforeTheBooksAreOpened) {
  io::MemoryFileSystem file_system;
  WriterOptions options = options_on(file_system);
  options.chunk_bytes = 65536;
  EXPECT_THAT(Writer::create("model.ingot", plan_of(std::uint64_t{1} << 60), options),
              StatusIs(Code::kResourceExhausted, HasSubstr("bytes), have 1.0 PiB")));
  EXPECT_THAT(file_system.names(), ::testing::IsEmpty());
}

TEST(Plan, WithoutMemoryForTheBooksNothingIsMade) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer ends the program instead";
  io::MemoryFileSystem file_system;
  file_system.set_capacity(std::uint64_t{1} << 61);
  WriterOptions options = options_on(file_system);
  options.chunk_bytes = 65536;
  EXPECT_THAT(Writer::create("model.ingot", plan_of(std::uint64_t{1} << 60), options),
              StatusIs(Code::kResourceExhausted, HasSubstr("memory")));
  EXPECT_THAT(file_system.names(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace ingot::testing
