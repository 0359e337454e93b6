#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "ingot/state.h"

namespace ingot {
namespace {

TEST(StateValueTest, KindsAndValues) {
  EXPECT_EQ(StateValue().kind(), StateKind::kNull);
  EXPECT_EQ(StateValue::null().kind(), StateKind::kNull);
  EXPECT_TRUE(StateValue::boolean(true).as_bool());
  EXPECT_FALSE(StateValue::boolean(false).as_bool());
  EXPECT_EQ(StateValue::integer(-5).as_int64(), -5);
  EXPECT_EQ(StateValue::real(0.1).as_float64(), 0.1);
  EXPECT_EQ(StateValue::string("a\0b").text(), "a");
  EXPECT_EQ(StateValue::bytes({std::byte{1}, std::byte{0}}).as_bytes().size(), 2u);
  EXPECT_EQ(StateValue::tensor("w").text(), "w");
  EXPECT_EQ(StateValue::list({StateValue::null()}).items().size(), 1u);
  EXPECT_EQ(StateValue::tuple().kind(), StateKind::kTuple);
}

TEST(StateValueTest, FloatsKeepEveryBit) {
  for (const std::uint64_t bits : {0x7FF0000000000001u, 0xFFF8DEADBEEF0001u, 0x8000000000000000u}) {
    EXPECT_EQ(
        std::bit_cast<std::uint64_t>(StateValue::real(std::bit_cast<double>(bits)).as_float64()),
        bits);
  }
}

TEST(StateValueTest, DictsKeepOrderAndReplace) {
  StateValue dict = StateValue::dict();
  dict.set("b", StateValue::integer(1));
  dict.set("a", StateValue::integer(2));
  dict.set(7, StateValue::integer(3));
  dict.set("b", StateValue::integer(4));
  ASSERT_EQ(dict.keys().size(), 3u);
  EXPECT_EQ(dict.keys()[0], StateKey("b"));
  EXPECT_EQ(dict.items()[0].as_int64(), 4);
  EXPECT_EQ(dict.find("a")->as_int64(), 2);
  EXPECT_EQ(dict.find(7)->as_int64(), 3);
  EXPECT_EQ(dict.find("7"), nullptr) << "a number is no string";
  EXPECT_EQ(dict.find("c"), nullptr);
}

TEST(StateValueTest, NullBecomesWhatIsPutIntoIt) {
  StateValue dict;
  dict.set("epoch", StateValue::integer(3));
  EXPECT_EQ(dict.kind(), StateKind::kDict);
  EXPECT_EQ(dict.find("epoch")->as_int64(), 3);
  StateValue list;
  list.append(StateValue::integer(1));
  EXPECT_EQ(list.kind(), StateKind::kList);
  EXPECT_EQ(list.items().size(), 1u);
}

// Above a few keys a hash table takes over.
TEST(StateValueTest, LargeDictsFindEveryKey) {
  StateValue dict = StateValue::dict();
  constexpr int kCount = 20'000;
  for (int i = 0; i < kCount; ++i) {
    dict.set("key" + std::to_string(i), StateValue::integer(i));
    dict.set(i, StateValue::integer(-i));
  }
  dict.set("key17", StateValue::integer(1717));
  ASSERT_EQ(dict.keys().size(), 2u * kCount);
  for (int i = 0; i < kCount; ++i) {
    ASSERT_NE(dict.find("key" + std::to_string(i)), nullptr);
    ASSERT_EQ(dict.find(i)->as_int64(), -i);
  }
  EXPECT_EQ(dict.find("key17")->as_int64(), 1717);
  EXPECT_EQ(dict.find("key"), nullptr);
  const StateValue copy = dict;
  EXPECT_EQ(copy.find("key19999")->as_int64(), 19999);
}

TEST(StateKindTest, Names) {
  EXPECT_EQ(state_kind_name(StateKind::kNull), "null");
  EXPECT_EQ(state_kind_name(StateKind::kBool), "bool");
  EXPECT_EQ(state_kind_name(StateKind::kInt64), "int64");
  EXPECT_EQ(state_kind_name(StateKind::kFloat64), "float64");
  EXPECT_EQ(state_kind_name(StateKind::kString), "string");
  EXPECT_EQ(state_kind_name(StateKind::kBytes), "bytes");
  EXPECT_EQ(state_kind_name(StateKind::kList), "list");
  EXPECT_EQ(state_kind_name(StateKind::kTuple), "tuple");
  EXPECT_EQ(state_kind_name(StateKind::kDict), "dict");
  EXPECT_EQ(state_kind_name(StateKind::kTensor), "tensor");
  EXPECT_EQ(state_kind_name(static_cast<StateKind>(10)), "unknown");
}

}  // namespace
}  // namespace ingot
