// Where storages lie: canonical order and numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../support/status_matchers.h"
#include "writer/plan_content.h"
#include "writer/plan_layout.h"

namespace ingot::writer {
namespace {

using ::ingot::testing::IsOk;
using ::ingot::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

PlanLayout layout(const WritePlan& plan, const WriterOptions& options = {}) {
  auto result = layout_plan(plan, options, "test");
  EXPECT_THAT(result, IsOk());
  return result.ok() ? *std::move(result) : PlanLayout{};
}

TensorSpec bytes_tensor(std::string name, std::int64_t bytes, Role role = Role::kParameter) {
  return {.name = std::move(name), .dtype = DType::kUInt8, .shape = {bytes}, .role = role};
}

// File offsets, by StorageId.
std::vector<std::uint64_t> offsets(const WritePlan& plan, const WriterOptions& options = {}) {
  const PlanLayout placed = layout(plan, options);
  std::vector<std::uint64_t> result;
  for (const std::uint32_t number : placed.storage_number) {
    result.push_back(placed.storages[number].offset);
  }
  return result;
}

std::vector<int> sections(const WritePlan& plan) {
  std::vector<int> result;
  for (const auto& storage : layout(plan).storages) result.push_back(storage.role);
  return result;
}

TEST(Layout, EmptyPlanEndsWhereDataBegins) {
  const PlanLayout placed = layout({});
  EXPECT_EQ(placed.data_end, 4096u);
  EXPECT_EQ(placed.chunks, 0u);
}

TEST(Layout, SizeDecidesAlignment) {
  WritePlan plan;
  plan.add(bytes_tensor("tiny", 1));           // 16
  plan.add(bytes_tensor("small", 1000));       // 32: a sixteenth of 1000 is 62
  plan.add(bytes_tensor("middling", 60'000));  // 256
  plan.add(bytes_tensor("large", 65'536));     // 4096
  EXPECT_THAT(offsets(plan), ElementsAre(4096, 4128, 5376, 65'536));
}

TEST(Layout, LargeAlignmentIsAnOption) {
  WritePlan plan;
  plan.add(bytes_tensor("large", 65'536));
  EXPECT_THAT(offsets(plan, {.alignment = 2 * kMiB}), ElementsAre(2 * kMiB));
}

TEST(Layout, RolesLieInOrderAndRegistrationDecidesWithin) {
  WritePlan plan;
  plan.add(bytes_tensor("other", 16, Role::kOther));
  plan.add(bytes_tensor("moment", 16, Role::kOptimizerState));
  plan.add(bytes_tensor("b", 16));
  plan.add(bytes_tensor("buffer", 16, Role::kBuffer));
  plan.add(bytes_tensor("a", 16));
  EXPECT_THAT(offsets(plan), ElementsAre(4160, 4144, 4096, 4128, 4112));
  EXPECT_THAT(sections(plan), ElementsAre(1, 1, 2, 3, 4));
}

TEST(Layout, FirstTensorInRegistrationOrderDecidesTheSectionOfATiedStorage) {
  WritePlan plan;
  const StorageId tied = plan.storage_of(plan.add(bytes_tensor("moment", 16, Role::kBuffer)));
  TensorSpec second = bytes_tensor("weight", 16);
  second.storage = tied;
  plan.add(second);
  EXPECT_THAT(sections(plan), ElementsAre(2));
}

TEST(Layout, ScalesAndZeroPointsFollowTheirTensor) {
  WritePlan plan;
  const StorageId zero_points = plan.add_storage(32);
  const StorageId scales = plan.add_storage(32);
  plan.add({.name = "q",
            .dtype = DType::kQInt8,
            .shape = {4, 4},
            .quantization = QuantizationSpec{.scheme = QuantizationScheme::kPerChannelAffine,
                                             .axis = 0,
                                             .scales = scales,
                                             .zero_points = zero_points}});
  plan.add(bytes_tensor("next", 16));
  EXPECT_THAT(offsets(plan), ElementsAre(4144, 4112, 4096, 4176));
}

TEST(Layout, AttachmentsComeLastInOrderOfTheirNames) {
  WritePlan plan;
  plan.attach("b", "text/plain", 16);
  plan.attach("a", "text/plain", 16);
  plan.add(bytes_tensor("t", 16, Role::kOther));
  const PlanLayout placed = layout(plan);
  const PlanContent content(plan, placed, {});
  EXPECT_EQ(content.attachment(0).name, "a");
  EXPECT_EQ(content.attachment(0).storage, 1u);
  EXPECT_THAT(offsets(plan), ElementsAre(4128, 4112, 4096));
}

TEST(Layout, EveryChunkHasItsPlaceInTheDigestTable) {
  WritePlan plan;
  plan.add(bytes_tensor("a", 3 * kMiB + 1));
  plan.add(bytes_tensor("none", 0));
  plan.add(bytes_tensor("b", 1));
  const PlanLayout placed = layout(plan);
  EXPECT_EQ(placed.chunks, 5u);
  EXPECT_EQ(placed.storages[1].first_chunk, 4u);
  EXPECT_EQ(placed.storages[2].first_chunk, 4u);
}

TEST(Layout, RowMajorStridesAreLeftOut) {
  WritePlan plan;
  plan.add({.name = "a", .shape = {2, 3}, .strides = {3, 1}});
  plan.add({.name = "b", .shape = {2, 3}, .strides = {1, 2}});
  const PlanLayout placed = layout(plan);
  const PlanContent content(plan, placed, {});
  EXPECT_TRUE(content.tensor(0).strides.empty());
  EXPECT_THAT(content.tensor(1).strides, ElementsAre(1, 2));
}

TEST(Layout, UnusedStorageIsRefused) {
  WritePlan plan;
  plan.add(bytes_tensor("a", 16));
  plan.add_storage(16);
  EXPECT_THAT(layout_plan(plan, {}, "test"),
              StatusIs(Code::kInvalidArgument, HasSubstr("storage 1")));
}

TEST(Layout, FileAbove63BitsIsRefused) {
  WritePlan plan;
  for (const char* name : {"a", "b"}) {
    TensorSpec spec = bytes_tensor(name, 16);
    spec.storage = plan.add_storage(std::uint64_t{1} << 62);
    plan.add(spec);
  }
  EXPECT_THAT(layout_plan(plan, {}, "test"), StatusIs(Code::kInvalidArgument, HasSubstr("2^63")));
}

TEST(Layout, HundredThousandSmallTensorsCostLittlePadding) {
  WritePlan plan;
  for (int i = 0; i < 100'000; ++i) plan.add(bytes_tensor("t" + std::to_string(i), 1024));
  const PlanLayout placed = layout(plan);
  EXPECT_EQ(placed.padding_bytes, 0u);
  EXPECT_EQ(placed.data_bytes, 102'400'000u);
}

}  // namespace
}  // namespace ingot::writer
