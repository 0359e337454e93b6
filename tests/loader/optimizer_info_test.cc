// ingot::optimizers on what follows the convention, and on everything that does not.
#include <functional>
#include <limits>
#include <utility>

#include "ingot/optimizer.h"

#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StateValue text(std::string value) { return StateValue::string(std::move(value)); }
StateValue number(std::int64_t value) { return StateValue::integer(value); }

// Two groups: 0 and 1 in the first, 2 in the second. Only 0 has been stepped.
StateValue good_optimizer() {
  StateValue entries = StateValue::dict();
  entries.set("step", StateValue::real(10));
  entries.set("exp_avg", StateValue::tensor("adam/w"));
  entries.set("max_exp_avg_sq", StateValue::null());
  StateValue state = StateValue::dict();
  state.set(0, std::move(entries));

  StateValue first = StateValue::dict();
  first.set("lr", StateValue::real(0.001));
  first.set("params", StateValue::list({number(0), number(1)}));
  first.set("betas", StateValue::tuple({StateValue::real(0.9), StateValue::real(0.999)}));
  first.set("param_names", StateValue::list({text("w"), text("frozen")}));
  first.set("param_shapes",
            StateValue::list({StateValue::list({number(2), number(3)}), StateValue::list()}));
  first.set("param_requires_grad",
            StateValue::list({StateValue::boolean(true), StateValue::boolean(false)}));
  StateValue second = StateValue::dict();
  second.set("params", StateValue::list({number(2)}));
  second.set("param_names", StateValue::list({text("other")}));

  StateValue optimizer = StateValue::dict();
  optimizer.set("class", text("AdamW"));
  optimizer.set("state", std::move(state));
  optimizer.set("param_groups", StateValue::list({std::move(first), std::move(second)}));
  return optimizer;
}

StateValue with(StateKey name, StateValue optimizer) {
  StateValue all = StateValue::dict();
  all.set(std::move(name), std::move(optimizer));
  StateValue root = StateValue::dict();
  root.set("optimizers", std::move(all));
  return root;
}

StateValue& at(StateValue& dict, const StateKey& key) {
  return const_cast<StateValue&>(*dict.find(key));
}
StateValue& group(StateValue& optimizer, std::size_t i) {
  return at(optimizer, "param_groups").items()[i];
}
StateValue without(const StateValue& dict, const StateKey& key) {
  StateValue rest = StateValue::dict();
  for (std::size_t i = 0; i < dict.items().size(); ++i) {
    if (dict.keys()[i] != key) rest.set(dict.keys()[i], dict.items()[i]);
  }
  return rest;
}

std::vector<StateValue> one_of_each_kind() {
  return {StateValue::null(), StateValue::boolean(true),
          number(0),          StateValue::real(0),
          text("x"),          StateValue::bytes({std::byte{1}}),
          StateValue::list(), StateValue::tuple(),
          StateValue::dict(), StateValue::tensor("w")};
}

// Calls visit(node) for the tree's every node but the root; the visitor may replace it.
void for_each_node(StateValue& tree, const std::function<void(StateValue&)>& visit) {
  for (StateValue& item : tree.items()) {
    for_each_node(item, visit);
    visit(item);
  }
}

class OptimizerInfoTest : public ::testing::Test {
 protected:
  // What a file with this state tree says.
  Result<std::vector<OptimizerInfo>> read(StateValue root) {
    WritePlan plan;
    plan.add({.name = "w", .shape = {7, 7}});
    plan.add({.name = "other", .shape = {5}, .requires_grad = true});
    plan.add({.name = "adam/w", .shape = {2, 3}, .role = Role::kOptimizerState});
    plan.set_state(std::move(root));
    const std::string path = scratch_.path("f.ingot");
    EXPECT_OK(write_sample(path, plan));
    Result<Checkpoint> checkpoint = Checkpoint::open(path);
    EXPECT_OK(checkpoint);
    if (!checkpoint.ok()) return checkpoint.status();
    checkpoint_ = *std::move(checkpoint);
    return optimizers(*checkpoint_);
  }
  void expect_rejected(StateValue optimizer, const ::testing::Matcher<std::string>& message) {
    EXPECT_THAT(read(with("adam", std::move(optimizer))),
                StatusIs(Code::kRejected, AllOf(HasSubstr("optimizer \"adam\""), message)));
  }

  Scratch scratch_;
  std::optional<Checkpoint> checkpoint_;  // what a result's views point into
};

TEST_F(OptimizerInfoTest, SaysWhatTheFileSays) {
  ASSERT_OK_AND_ASSIGN(const auto all, read(with("adam", good_optimizer())));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].name, "adam");
  EXPECT_EQ(all[0].class_name, "AdamW");
  EXPECT_EQ(all[0].member_count(), 3U);
  ASSERT_EQ(all[0].groups.size(), 2U);
  const OptimizerGroup& first = all[0].groups[0];
  ASSERT_EQ(first.options.size(), 2U);
  EXPECT_EQ(first.options[0].first, "lr");
  EXPECT_EQ(first.options[0].second.as_float64(), 0.001);
  EXPECT_EQ(first.options[1].first, "betas");
  EXPECT_EQ(first.options[1].second.kind(), StateKind::kTuple);

  ASSERT_EQ(first.members.size(), 2U);
  EXPECT_EQ(first.members[0].index, 0);
  EXPECT_EQ(first.members[0].name, "w");
  EXPECT_THAT(*first.members[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(first.members[0].requires_grad, true);
  EXPECT_THAT(first.members[0].entries, ElementsAre("step", "exp_avg"));
  ASSERT_TRUE(first.members[0].state);
  EXPECT_EQ(first.members[0].state->find("step")->as_float64(), 10);
  EXPECT_EQ(first.members[1].index, 1);
  EXPECT_THAT(*first.members[1].shape, IsEmpty());
  EXPECT_EQ(first.members[1].requires_grad, false);
  EXPECT_FALSE(first.members[1].state);
  EXPECT_THAT(first.members[1].entries, IsEmpty());
}

TEST_F(OptimizerInfoTest, WhatTheGroupLeavesOutComesFromTheTensor) {
  StateValue optimizer = good_optimizer();
  group(optimizer, 0) =
      without(without(group(optimizer, 0), "param_shapes"), "param_requires_grad");
  ASSERT_OK_AND_ASSIGN(const auto all, read(with("adam", std::move(optimizer))));
  const std::vector<OptimizerMember>& first = all[0].groups[0].members;
  EXPECT_THAT(*first[0].shape, ElementsAre(7, 7));
  EXPECT_EQ(first[0].requires_grad, false);
  EXPECT_FALSE(first[1].shape);  // the file has no such tensor
  EXPECT_FALSE(first[1].requires_grad);
  const OptimizerMember& other = all[0].groups[1].members[0];
  EXPECT_THAT(*other.shape, ElementsAre(5));
  EXPECT_EQ(other.requires_grad, true);
}

TEST_F(OptimizerInfoTest, WhatTheGroupSaysCountsMore) {
  StateValue optimizer = good_optimizer();
  group(optimizer, 0) = without(group(optimizer, 0), "param_shapes");
  ASSERT_OK_AND_ASSIGN(const auto flagged, read(with("adam", optimizer)));
  EXPECT_THAT(*flagged[0].groups[0].members[0].shape, ElementsAre(7, 7));
  EXPECT_EQ(flagged[0].groups[0].members[0].requires_grad, true);  // the tensor's is false
  optimizer = good_optimizer();
  group(optimizer, 0) = without(group(optimizer, 0), "param_requires_grad");
  ASSERT_OK_AND_ASSIGN(const auto shaped, read(with("adam", optimizer)));
  EXPECT_THAT(*shaped[0].groups[0].members[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(shaped[0].groups[0].members[0].requires_grad, false);
}

TEST_F(OptimizerInfoTest, NumbersNeedNotAscend) {
  StateValue optimizer = good_optimizer();
  at(group(optimizer, 0), "params") = StateValue::list({number(2), number(0)});
  at(group(optimizer, 1), "params") = StateValue::list({number(1)});
  ASSERT_OK_AND_ASSIGN(const auto all, read(with("adam", std::move(optimizer))));
  EXPECT_FALSE(all[0].groups[0].members[0].state);
  EXPECT_TRUE(all[0].groups[0].members[1].state);
}

TEST_F(OptimizerInfoTest, FilesWithoutOptimizers) {
  StateValue empty = StateValue::dict();
  empty.set("optimizers", StateValue::dict());
  for (const StateValue& root :
       {StateValue::null(), StateValue::list({text("optimizers")}), StateValue::dict(), empty}) {
    ASSERT_OK_AND_ASSIGN(const auto all, read(root));
    EXPECT_THAT(all, IsEmpty());
  }
  ASSERT_OK(write_sample(scratch_.path("none"), WritePlan()));
  ASSERT_OK_AND_ASSIGN(const Checkpoint none, Checkpoint::open(scratch_.path("none")));
  ASSERT_OK_AND_ASSIGN(const auto all, optimizers(none));
  EXPECT_THAT(all, IsEmpty());
}

TEST_F(OptimizerInfoTest, SeveralOptimizersAndEmptyOnes) {
  StateValue root = with("b", good_optimizer());
  StateValue bare = StateValue::dict();
  bare.set("class", text(""));
  bare.set("state", StateValue::dict());
  bare.set("param_groups", StateValue::list());
  at(root, "optimizers").set("a", std::move(bare));
  ASSERT_OK_AND_ASSIGN(const auto all, read(std::move(root)));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "b");
  EXPECT_EQ(all[1].name, "a");
  EXPECT_EQ(all[1].member_count(), 0U);
}

TEST_F(OptimizerInfoTest, KeysThatMustBeThere) {
  for (const char* key : {"class", "state", "param_groups"}) {
    expect_rejected(without(good_optimizer(), key),
                    HasSubstr("\"" + std::string(key) + "\": missing"));
  }
  for (const char* key : {"params", "param_names"}) {
    StateValue optimizer = good_optimizer();
    group(optimizer, 1) = without(group(optimizer, 1), key);
    expect_rejected(std::move(optimizer),
                    HasSubstr("group 1, \"" + std::string(key) + "\": missing"));
  }
}

// Every kind there is, in every place that asks for one.
TEST_F(OptimizerInfoTest, WrongKinds) {
  const std::vector<StateValue> kinds = one_of_each_kind();
  struct Case {
    std::string place;  // in the message
    StateKind right;
    std::function<StateValue&(StateValue&)> value;
  };
  const auto in_group = [](const char* key) {
    return [key](StateValue& o) -> StateValue& { return at(group(o, 0), key); };
  };
  const auto item = [](const char* key) {
    return [key](StateValue& o) -> StateValue& { return at(group(o, 0), key).items()[1]; };
  };
  const std::vector<Case> cases = {
      {"\"class\"", StateKind::kString,
       [](StateValue& o) -> StateValue& { return at(o, "class"); }},
      {"\"state\"", StateKind::kDict, [](StateValue& o) -> StateValue& { return at(o, "state"); }},
      {"\"state\", member 0", StateKind::kDict,
       [](StateValue& o) -> StateValue& { return at(at(o, "state"), 0); }},
      {"\"param_groups\"", StateKind::kList,
       [](StateValue& o) -> StateValue& { return at(o, "param_groups"); }},
      {"group 0", StateKind::kDict, [](StateValue& o) -> StateValue& { return group(o, 0); }},
      {"group 0, \"params\"", StateKind::kList, in_group("params")},
      {"group 0, \"param_names\"", StateKind::kList, in_group("param_names")},
      {"group 0, \"param_shapes\"", StateKind::kList, in_group("param_shapes")},
      {"group 0, \"param_requires_grad\"", StateKind::kList, in_group("param_requires_grad")},
      {"group 0, \"params\", item 1", StateKind::kInt64, item("params")},
      {"group 0, \"param_names\", item 1", StateKind::kString, item("param_names")},
      {"group 0, \"param_shapes\", item 1", StateKind::kList, item("param_shapes")},
      {"group 0, \"param_shapes\", item 0", StateKind::kInt64,
       [](StateValue& o) -> StateValue& {
         return at(group(o, 0), "param_shapes").items()[0].items()[1];
       }},
      {"group 0, \"param_requires_grad\", item 1", StateKind::kBool, item("param_requires_grad")},
  };
  for (const Case& c : cases) {
    for (const StateValue& kind : kinds) {
      if (kind.kind() == c.right) continue;
      StateValue optimizer = good_optimizer();
      c.value(optimizer) = kind;
      expect_rejected(std::move(optimizer),
                      HasSubstr(c.place + ": of the wrong kind: expected " +
                                std::string(state_kind_name(c.right)) + ", found " +
                                std::string(state_kind_name(kind.kind()))));
    }
  }
  for (const StateValue& kind : kinds) {
    if (kind.kind() == StateKind::kDict) continue;
    expect_rejected(kind, HasSubstr("optimizer \"adam\": of the wrong kind"));
    StateValue root = StateValue::dict();
    root.set("optimizers", kind);
    EXPECT_THAT(read(std::move(root)), StatusIs(Code::kRejected, HasSubstr("\"optimizers\"")));
  }
}

// Whatever stands wherever: an answer or a refusal, and what is answered can be looked at.
TEST_F(OptimizerInfoTest, AnyValueAnywhere) {
  StateValue root = with("adam", good_optimizer());
  std::uint64_t refused = 0;
  for_each_node(root, [&](StateValue& node) {
    for (const StateValue& other : one_of_each_kind()) {
      const StateValue original = std::exchange(node, other);
      const auto result = read(root);
      node = original;
      if (!result.ok()) {
        EXPECT_THAT(result, StatusIs(Code::kRejected));
        ++refused;
        continue;
      }
      for (const OptimizerInfo& optimizer : *result) {
        for (const OptimizerGroup& each : optimizer.groups) {
          for (const OptimizerMember& member : each.members) {
            EXPECT_EQ(member.state ? member.state->kind() : StateKind::kDict, StateKind::kDict);
            EXPECT_LT(member.index, static_cast<std::int64_t>(optimizer.member_count()));
          }
        }
      }
    }
  });
  EXPECT_GT(refused, 100U);
}

TEST_F(OptimizerInfoTest, ListsOfUnequalLength) {
  for (const char* key : {"param_names", "param_shapes", "param_requires_grad"}) {
    for (const bool longer : {false, true}) {
      StateValue optimizer = good_optimizer();
      std::vector<StateValue>& items = at(group(optimizer, 0), key).items();
      longer ? items.push_back(items.back()) : items.pop_back();
      expect_rejected(
          std::move(optimizer),
          HasSubstr("group 0, \"" + std::string(key) +
                    "\": not as long as \"params\": expected 2, found " + (longer ? "3" : "1")));
    }
  }
}

TEST_F(OptimizerInfoTest, NumbersOutOfRangeOrTwice) {
  for (const std::int64_t wrong :
       {std::int64_t{-1}, std::int64_t{3}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    StateValue optimizer = good_optimizer();
    at(group(optimizer, 1), "params").items()[0] = number(wrong);
    expect_rejected(std::move(optimizer),
                    HasSubstr("group 1, \"params\", item 0: a number out of range: expected 0 to "
                              "2, found " +
                              std::to_string(wrong)));
  }
  StateValue optimizer = good_optimizer();
  at(group(optimizer, 1), "params").items()[0] = number(1);
  expect_rejected(std::move(optimizer),
                  HasSubstr("group 1, \"params\", item 0: a number twice: found 1"));
}

TEST_F(OptimizerInfoTest, NamesThatNoTensorHas) {
  for (const std::string& wrong : {std::string(), std::string("a\nb"), std::string(1025, 'x')}) {
    StateValue optimizer = good_optimizer();
    at(group(optimizer, 0), "param_names").items()[1] = text(wrong);
    expect_rejected(std::move(optimizer),
                    HasSubstr("group 0, \"param_names\", item 1: no tensor can be called so"));
  }
  StateValue optimizer = good_optimizer();
  at(group(optimizer, 1), "param_names").items()[0] = text("w");
  expect_rejected(std::move(optimizer),
                  HasSubstr("group 1, \"param_names\": a name twice: found \"w\""));
}

TEST_F(OptimizerInfoTest, ShapesThatNoTensorHas) {
  StateValue optimizer = good_optimizer();
  at(group(optimizer, 0), "param_shapes").items()[0] = StateValue::list({number(2), number(-3)});
  expect_rejected(optimizer, HasSubstr("\"param_shapes\", item 0: a negative extent: found -3"));
  at(group(optimizer, 0), "param_shapes").items()[0] =
      StateValue::list(std::vector<StateValue>(65, number(1)));
  expect_rejected(optimizer, HasSubstr("\"param_shapes\", item 0: too many dimensions"));
  at(group(optimizer, 0), "param_shapes").items()[0].items().pop_back();
  EXPECT_OK(read(with("adam", optimizer)));
}

TEST_F(OptimizerInfoTest, KeysOfTheWrongSort) {
  EXPECT_THAT(read(with(1, good_optimizer())),
              StatusIs(Code::kRejected, HasSubstr("optimizer 1: its name is not a string")));
  StateValue optimizer = good_optimizer();
  group(optimizer, 1).set(5, StateValue::null());
  expect_rejected(optimizer, HasSubstr("group 1: a key that is not a string: found 5"));
  optimizer = good_optimizer();
  at(at(optimizer, "state"), 0).set(5, StateValue::null());
  expect_rejected(optimizer, HasSubstr("member 0: a key that is not a string: found 5"));
  for (const StateKey& key : {StateKey("0"), StateKey(3), StateKey(-1)}) {
    optimizer = good_optimizer();
    at(optimizer, "state").set(key, StateValue::dict());
    expect_rejected(optimizer, HasSubstr("\"state\": a key that is no member's number: found "));
  }
}

// Keys of a tree may hold anything; a message is one line all the same.
TEST_F(OptimizerInfoTest, MessagesStayOneLine) {
  const std::string name = "a\n\x1b[31m\"\\" + std::string(200, 'x');
  const auto result = read(with(name, text("x")));
  ASSERT_THAT(result, StatusIs(Code::kRejected, HasSubstr(R"(optimizer "a\x0a\x1b[31m\"\\xxx)")));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("xxx...\": of the wrong kind"));
  // Cut between characters.
  EXPECT_THAT(read(with(std::string(79, 'x') + "é", text("x"))),
              StatusIs(Code::kRejected, HasSubstr("xxx...\"")));
}

// Members are found through a table by number, not searched for.
TEST_F(OptimizerInfoTest, AHundredThousandMembers) {
  constexpr std::int64_t kMembers = 100'000;
  StateValue params = StateValue::list();
  StateValue names = StateValue::list();
  StateValue state = StateValue::dict();
  for (std::int64_t i = 0; i < kMembers; ++i) {
    params.append(number(kMembers - 1 - i));
    names.append(text("layer." + std::to_string(i)));
    StateValue entries = StateValue::dict();
    entries.set("step", number(i));
    state.set(i, std::move(entries));
  }
  StateValue only = StateValue::dict();
  only.set("params", std::move(params));
  only.set("param_names", std::move(names));
  StateValue optimizer = StateValue::dict();
  optimizer.set("class", text("SGD"));
  optimizer.set("state", std::move(state));
  optimizer.set("param_groups", StateValue::list({std::move(only)}));
  ASSERT_OK_AND_ASSIGN(const auto all, read(with("sgd", std::move(optimizer))));
  const std::vector<OptimizerMember>& members = all[0].groups[0].members;
  ASSERT_EQ(members.size(), std::size_t{kMembers});
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto expected = kMembers - 1 - static_cast<std::int64_t>(i);
    ASSERT_EQ(members[i].index, expected);
    ASSERT_EQ(members[i].state->find("step")->as_int64(), expected);
  }
}

}  // namespace
}  // namespace ingot::testing
