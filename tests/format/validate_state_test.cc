// Rules F-90 to F-99: one case for every way to break them.
#include "format/digest.h"
#include "tests/format/validation_fixture.h"

namespace ingot::format {
namespace {

using Node = HostileIndex::StateNode;
using Tree = HostileIndex::StateTree;

// Kinds, as docs/format.md numbers them.
enum Kind : std::uint8_t {
  kNull,
  kBool,
  kInt,
  kFloat,
  kString,
  kBytes,
  kList,
  kTuple,
  kDict,
  kTensor
};

class ValidateState : public ::testing::Test {
 protected:
  static Status validate_tree(const Tree& tree) {
    HostileFile file = HostileFile::rich();
    file.index.state = tree;
    return file.validate_index();
  }
  static void expect_rejected(const std::string& rule, const Tree& tree) {
    EXPECT_THAT(validate_tree(tree), StatusIs(Code::kRejected, HasSubstr(rule + ": ")));
  }
  static void expect_accepted(const Tree& tree) { EXPECT_THAT(validate_tree(tree), IsOk()); }

  static Node scalar(std::uint8_t kind, std::uint64_t value = 0) {
    return {.kind = kind, .value = value};
  }
  static Node container(std::uint8_t kind, std::uint32_t children, std::uint64_t descendants) {
    return {.kind = kind, .children = children, .value = descendants};
  }
  // A child of a dict.
  static Node keyed(std::uint8_t key_kind, std::uint64_t key, Node node = {}) {
    node.key_kind = key_kind;
    node.key = key;
    return node;
  }
  static Tree of(std::vector<Node> nodes) {
    Tree tree;
    tree.nodes = std::move(nodes);
    return tree;
  }
};

// F-90
TEST_F(ValidateState, HasARoot) { expect_rejected("F-90", of({})); }

// F-91
TEST_F(ValidateState, Kinds) {
  expect_rejected("F-91", of({scalar(10)}));
  expect_rejected("F-91", of({scalar(255)}));
  expect_accepted(of({scalar(kFloat, ~0ull)}));
}

// F-91
TEST_F(ValidateState, UnusedFieldsAreZero) {
  expect_rejected("F-91", of({scalar(kNull, 1)}));
  expect_rejected("F-91", of({scalar(kBool, 2)}));
  Node node = scalar(kInt, 5);
  node.reserved = 1;
  expect_rejected("F-91", of({node}));
  node = scalar(kInt, 5);
  node.children = 1;
  expect_rejected("F-91", of({node}));
}

// F-92
TEST_F(ValidateState, CountsAgree) {
  expect_accepted(of({container(kList, 2, 2), scalar(kNull), scalar(kNull)}));
  expect_accepted(
      of({container(kList, 2, 3), container(kTuple, 1, 1), scalar(kNull), scalar(kNull)}));
  // Fewer nodes than descendants, and more.
  expect_rejected("F-92", of({container(kList, 2, 3), scalar(kNull), scalar(kNull)}));
  expect_rejected("F-92", of({container(kList, 1, 1), scalar(kNull), scalar(kNull)}));
  expect_rejected("F-92", of({scalar(kNull), scalar(kNull)}));
  // Children and descendants of one container.
  expect_rejected("F-92", of({container(kList, 1, 2), scalar(kNull), scalar(kNull)}));
  expect_rejected("F-92", of({container(kList, 3, 2), scalar(kNull), scalar(kNull)}));
  expect_rejected("F-92", of({container(kList, 0, 1), scalar(kNull)}));
  expect_rejected("F-92", of({container(kList, 1, 0)}));
  // A child whose descendants are its parent's sibling's.
  expect_rejected("F-92", of({container(kList, 2, 3), container(kList, 1, 1), scalar(kNull),
                              container(kList, 1, 1)}));
  expect_rejected(
      "F-92", of({container(kList, 2, 3), container(kList, 2, 2), scalar(kNull), scalar(kNull)}));
  // Counts that wrap.
  expect_rejected("F-92", of({container(kList, 1, ~0ull), scalar(kNull)}));
  expect_rejected("F-92", of({container(kList, ~0u, ~0ull), scalar(kNull)}));
}

Tree nested(std::uint32_t levels) {
  Tree tree;
  for (std::uint32_t i = 0; i < levels; ++i) {
    const std::uint32_t below = levels - 1 - i;
    tree.nodes.push_back({.kind = kList, .children = below > 0 ? 1u : 0u, .value = below});
  }
  return tree;
}

// F-93
TEST_F(ValidateState, Depth) {
  expect_accepted(nested(64));
  expect_rejected("F-93", nested(65));
  expect_rejected("F-93", nested(100'000));
}

// F-94
TEST_F(ValidateState, KeysBelongToDicts) {
  expect_accepted(of({container(kDict, 1, 1), keyed(1, ~0ull)}));
  expect_rejected("F-94", of({container(kDict, 1, 1), scalar(kNull)}));
  expect_rejected("F-94", of({container(kDict, 1, 1), keyed(3, 0)}));
  expect_rejected("F-94", of({container(kList, 1, 1), keyed(1, 7)}));
  expect_rejected("F-94", of({container(kList, 1, 1), keyed(0, 7)}));
  expect_rejected("F-94", of({keyed(1, 0)}));
}

Tree dict_of_strings(const std::vector<std::string>& keys) {
  Tree tree;
  const auto count = static_cast<std::uint32_t>(keys.size());
  tree.nodes.push_back({.kind = kDict, .children = count, .value = count});
  for (std::uint32_t i = 0; i < count; ++i) tree.nodes.push_back({.key_kind = 2, .key = i});
  tree.strings = keys;
  return tree;
}

// F-95
TEST_F(ValidateState, KeysOfADictDiffer) {
  expect_rejected("F-95", dict_of_strings({"a", "b", "a"}));
  expect_accepted(dict_of_strings({"a", "b", "A", ""}));
  expect_rejected("F-95", of({container(kDict, 2, 2), keyed(1, 7), keyed(1, 7)}));
  Tree mixed = dict_of_strings({"7"});
  mixed.nodes[0] = container(kDict, 2, 2);
  mixed.nodes.push_back(keyed(1, 7));
  expect_accepted(mixed);
  // The same key in two dicts.
  Tree two = of({container(kList, 2, 4), container(kDict, 1, 1), keyed(1, 7),
                 container(kDict, 1, 1), keyed(1, 7)});
  expect_accepted(two);
}

// F-95, with more keys than the validator keeps on its stack.
TEST_F(ValidateState, KeysOfALargeDictDiffer) {
  std::vector<std::string> keys;
  for (int i = 0; i < 5000; ++i) keys.push_back("key" + std::to_string(i));
  expect_accepted(dict_of_strings(keys));
  keys[4999] = "key0";
  expect_rejected("F-95", dict_of_strings(keys));
}

// F-96
TEST_F(ValidateState, StringsAreUsedOnceInOrder) {
  Tree tree = of({container(kList, 2, 2), scalar(kString, 0), scalar(kString, 1)});
  tree.strings = {"a", "b"};
  expect_accepted(tree);
  std::swap(tree.nodes[1], tree.nodes[2]);
  expect_rejected("F-96", tree);
  tree.nodes[1] = scalar(kString, 0);
  tree.nodes[2] = scalar(kString, 0);
  expect_rejected("F-96", tree);
  tree.nodes[2] = scalar(kString, 2);
  expect_rejected("F-96", tree);
  tree.nodes[2] = scalar(kString, 0x100000001);
  expect_rejected("F-96", tree);
  tree.nodes[2] = scalar(kNull);
  expect_rejected("F-96", tree);  // "b" is not used
  tree.strings.reset();
  expect_rejected("F-96", tree);
}

// F-96: a key comes before its value.
TEST_F(ValidateState, KeysAreNumberedBeforeValues) {
  Tree tree = of({container(kDict, 1, 1), keyed(2, 0, scalar(kString, 1))});
  tree.strings = {"key", "value"};
  expect_accepted(tree);
  tree.nodes[1] = keyed(2, 1, scalar(kString, 0));
  expect_rejected("F-96", tree);
}

// F-97
TEST_F(ValidateState, BlobsAreUsedOnceInOrder) {
  Tree tree = of({container(kList, 2, 2), scalar(kBytes, 0), scalar(kBytes, 1)});
  tree.blobs = {std::string("a"), std::string("")};
  expect_accepted(tree);
  tree.nodes[2].value = 0;
  expect_rejected("F-97", tree);
  tree.nodes[2].value = 2;
  expect_rejected("F-97", tree);
  tree.nodes[2] = scalar(kNull);
  expect_rejected("F-97", tree);
  tree.blobs.reset();
  expect_rejected("F-97", tree);
}

// F-98
TEST_F(ValidateState, StringsAreUtf8) {
  for (const std::string text : {"\xFF", "\xC0\x80", "abc\xED\xBF\xBF", "12345678\xE2\x82"}) {
    Tree tree = of({scalar(kString, 0)});
    tree.strings = {text};
    expect_rejected("F-98", tree);
  }
  Tree tree = of({scalar(kString, 0)});
  tree.strings = {std::string("\0\n\x7F", 3)};
  expect_accepted(tree);
}

// F-99
TEST_F(ValidateState, TensorsExist) {
  const std::uint64_t count = HostileFile::rich().index.tensors.size();
  expect_accepted(of({scalar(kTensor, count - 1)}));
  expect_rejected("F-99", of({scalar(kTensor, count)}));
  expect_rejected("F-99", of({scalar(kTensor, ~0ull)}));
  expect_rejected("F-99", of({scalar(kTensor, 0x100000000)}));
}

}  // namespace
}  // namespace ingot::format
