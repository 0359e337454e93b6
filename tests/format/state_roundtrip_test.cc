// StateValue -> index -> StateView.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

#include "format/index_view.h"
#include "tests/support/hostile_index.h"
#include "tests/support/index_plan.h"
#include "tests/support/status_matchers.h"

namespace ingot::format {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HostileFile;
using testing::IndexDraft;
using testing::IsOk;
using testing::StatusIs;

class StateRoundTrip : public ::testing::Test {
 protected:
  // The root as it comes back out of an index.
  StateView through_index(StateValue root) {
    IndexDraft draft;
    draft.tensor("w0", DType::kUInt8, {1});
    draft.tensor("w1", DType::kUInt8, {1});
    draft.model.state = std::move(root);
    const HostileFile file = HostileFile::from(draft);
    EXPECT_THAT(file.validate_index(), IsOk());
    bytes_ = *encode_index(plan(draft));
    return *IndexView(bytes_).state();
  }

 private:
  std::vector<std::byte> bytes_;
};

TEST_F(StateRoundTrip, Scalars) {
  EXPECT_EQ(through_index(StateValue::null()).kind(), StateKind::kNull);
  EXPECT_TRUE(through_index(StateValue::boolean(true)).as_bool());
  EXPECT_FALSE(through_index(StateValue::boolean(false)).as_bool());
  EXPECT_EQ(through_index(StateValue::integer(INT64_MIN)).as_int64(), INT64_MIN);
  EXPECT_EQ(through_index(StateValue::integer(-1)).as_int64(), -1);
  EXPECT_EQ(through_index(StateValue::string("d\xC3\xA9j\xC3\xA0")).as_string(),
            "d\xC3\xA9j\xC3\xA0");
  EXPECT_EQ(through_index(StateValue::string(std::string("a\0b", 3))).as_string(),
            std::string_view("a\0b", 3));
  EXPECT_EQ(through_index(StateValue::string("")).as_string(), "");
  EXPECT_THAT(through_index(StateValue::bytes({std::byte{0}, std::byte{255}})).as_bytes(),
              ElementsAre(std::byte{0}, std::byte{255}));
  EXPECT_EQ(through_index(StateValue::bytes({})).as_bytes().size(), 0u);
  EXPECT_EQ(through_index(StateValue::tensor("w1")).as_tensor(), 1u);
  EXPECT_EQ(through_index(StateValue::tensor("w1")).as_tensor_name(), "w1");
}

TEST_F(StateRoundTrip, FloatsKeepEveryBit) {
  for (const std::uint64_t bits : std::initializer_list<std::uint64_t>{
           0x7FF0000000000001u, 0x7FF8000000000000u, 0xFFF8DEADBEEF0001u, 0x8000000000000000u,
           0x0000000000000001u}) {
    const StateView view = through_index(StateValue::real(std::bit_cast<double>(bits)));
    EXPECT_EQ(view.kind(), StateKind::kFloat64);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(view.as_float64()), bits);
  }
}

TEST_F(StateRoundTrip, ScalarsHaveNoChildren) {
  const StateView view = through_index(StateValue::integer(3));
  EXPECT_EQ(view.size(), 0u);
  EXPECT_FALSE(view.first_child());
  EXPECT_FALSE(view.next_sibling());
  EXPECT_FALSE(view.key());
  EXPECT_FALSE(view.find("x"));
}

TEST_F(StateRoundTrip, NestedContainersKeepTheirOrder) {
  StateValue root = StateValue::dict();
  StateValue& groups = root.set("groups", StateValue::list());
  StateValue& group = groups.append(StateValue::dict());
  group.set("betas", StateValue::tuple({StateValue::real(0.9), StateValue::real(0.95)}));
  group.set("lr", StateValue::real(1e-3));
  groups.append(StateValue::list());
  groups.append(StateValue::integer(9));
  root.set(5, StateValue::string("five"));
  root.set("5", StateValue::string("string five"));
  root.set(-5, StateValue::null());

  const StateView view = through_index(std::move(root));
  ASSERT_EQ(view.size(), 4u);
  EXPECT_EQ(view.find("groups")->size(), 3u);
  EXPECT_EQ(view.find("groups")->child(0)->find("betas")->kind(), StateKind::kTuple);
  EXPECT_EQ(view.find("groups")->child(0)->find("betas")->child(1)->as_float64(), 0.95);
  EXPECT_EQ(view.find("groups")->child(0)->find("lr")->as_float64(), 1e-3);
  EXPECT_EQ(view.find("groups")->child(1)->size(), 0u);
  EXPECT_EQ(view.find("groups")->child(2)->as_int64(), 9);
  EXPECT_FALSE(view.find("groups")->child(3));
  EXPECT_EQ(view.find(5)->as_string(), "five");
  EXPECT_EQ(view.find("5")->as_string(), "string five");
  EXPECT_EQ(view.find(-5)->kind(), StateKind::kNull);
  EXPECT_FALSE(view.find(6));
  EXPECT_FALSE(view.find("lr")) << "only direct children";
}

TEST_F(StateRoundTrip, KeysOfChildren) {
  StateValue root = StateValue::dict();
  root.set("name", StateValue::integer(1));
  root.set(42, StateValue::integer(2));
  const StateView view = through_index(std::move(root));
  const StateView first = *view.first_child();
  EXPECT_TRUE(first.has_string_key());
  EXPECT_EQ(first.string_key(), "name");
  EXPECT_EQ(first.key(), StateKey("name"));
  const StateView second = *first.next_sibling();
  EXPECT_FALSE(second.has_string_key());
  EXPECT_EQ(second.key(), StateKey(42));
  EXPECT_FALSE(second.next_sibling());
}

TEST_F(StateRoundTrip, SiblingsAfterDeepChildren) {
  StateValue root = StateValue::list();
  root.append(StateValue::list({StateValue::list({StateValue::integer(1), StateValue::list()})}));
  root.append(StateValue::integer(2));
  const StateView view = through_index(std::move(root));
  EXPECT_EQ(view.first_child()->next_sibling()->as_int64(), 2);
}

StateValue nested(int levels) {
  StateValue value = StateValue::list();
  for (int i = 1; i < levels; ++i) value = StateValue::list({std::move(value)});
  return value;
}

// F-93
TEST_F(StateRoundTrip, SixtyFourLevelsAndNoMore) {
  std::optional<StateView> view = through_index(nested(64));
  int levels = 0;
  for (; view; view = view->first_child()) ++levels;
  EXPECT_EQ(levels, 64);

  IndexModel model;
  model.state = nested(65);
  EXPECT_THAT(encode_index(model), StatusIs(Code::kInvalidArgument, HasSubstr("deep")));
  model.state = StateValue::list({nested(63)});
  EXPECT_THAT(encode_index(model), IsOk());
}

TEST_F(StateRoundTrip, DictItemsWithoutKeysAreRefused) {
  IndexModel model;
  model.state = StateValue::dict();
  model.state->items().push_back(StateValue::null());
  EXPECT_THAT(encode_index(model), StatusIs(Code::kInvalidArgument, HasSubstr("key")));
}

TEST_F(StateRoundTrip, WhatAKindCannotHoldIsRefused) {
  const auto encoded = [](StateValue root) {
    IndexModel model;
    model.state = std::move(root);
    return encode_index(model);
  };
  for (StateValue value : {StateValue::boolean(true), StateValue::integer(3), StateValue::real(1),
                           StateValue::string("text"), StateValue::bytes({})}) {
    value.append(StateValue::integer(1));
    EXPECT_THAT(encoded(value), StatusIs(Code::kInvalidArgument,
                                         HasSubstr(std::string(state_kind_name(value.kind())))));
  }
  for (StateValue value : {StateValue::list(), StateValue::tuple()}) {
    value.set("key", StateValue::integer(1));
    EXPECT_THAT(encoded(value), StatusIs(Code::kInvalidArgument, HasSubstr("keys")));
  }
  StateValue dict = StateValue::dict();
  dict.append(StateValue::integer(1));
  EXPECT_THAT(encoded(dict), StatusIs(Code::kInvalidArgument, HasSubstr("key")));
}

}  // namespace
}  // namespace ingot::format
