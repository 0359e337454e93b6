// The state tree: nodes that are malformed, disagree with each other, or point nowhere.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/golden/colliding_names.h"
#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace {

using ingot::testing::IndexDraft;
using Node = HostileIndex::StateNode;
using Nodes = std::vector<Node>;
using Tree = HostileIndex::StateTree;

constexpr std::uint8_t kNull = 0, kBool = 1, kInt = 2, kString = 4, kBlob = 5, kList = 6, kDict = 8,
                       kTensor = 9;

// A node of small_file()'s tree changed. Its nodes: 0 dict of 8; 1 int "step"; 2 string "note";
// 3 bytes "rng"; 4 tensor; 5 bool "flag"; 6 null; 7 list of 8 int and 9 float; 10 dict "dict" of 11
// string and 12 bytes, with keys 0 and 1.
InvalidGolden node(std::string name, std::string rule, std::string why, std::size_t number,
                   void (*edit)(Node&)) {
  return hostile("state_" + name, std::move(rule), std::move(why),
                 [number, edit](HostileFile& f) { edit(f.index.state->nodes[number]); });
}

InvalidGolden tree(std::string name, std::string rule, std::string why,
                   std::function<void(Tree&)> edit) {
  return hostile("state_" + name, std::move(rule), std::move(why),
                 [edit = std::move(edit)](HostileFile& f) { edit(*f.index.state); });
}

// A file with this tree alone.
InvalidGolden alone(std::string name, std::string rule, std::string why, Nodes nodes) {
  return hostile(
      "state_" + name, std::move(rule), std::move(why),
      [nodes = std::move(nodes)](HostileFile& f) { f.index.state.emplace().nodes = nodes; },
      HostileFile::minimal);
}

void add_nodes(Goldens& all) {
  all.push_back(alone("empty", "F-90", "a tree without a root", {}));
  all.push_back(node("kind_10", "F-91", "kind 10", 6, [](Node& n) { n.kind = 10; }));
  all.push_back(node("kind_255", "F-91", "kind 255", 6, [](Node& n) { n.kind = 255; }));
  all.push_back(
      node("reserved", "F-91", "reserved bytes are set", 1, [](Node& n) { n.reserved = 1; }));
  all.push_back(
      node("null_with_value", "F-91", "a null with a value", 6, [](Node& n) { n.value = 1; }));
  all.push_back(node("bool_2", "F-91", "a truth value of 2", 5, [](Node& n) { n.value = 2; }));
  all.push_back(node("bool_max", "F-91", "a truth value of 2^64 - 1", 5,
                     [](Node& n) { n.value = ~std::uint64_t{0}; }));
  all.push_back(node("int_with_children", "F-91", "an integer with a child", 1,
                     [](Node& n) { n.children = 1; }));
  all.push_back(node("null_with_children", "F-91", "a null with 2^32 - 1 children", 6,
                     [](Node& n) { n.children = 0xFFFFFFFF; }));
}

void add_shape(Goldens& all) {
  all.push_back(node("children_too_many", "F-92", "a child more than there is", 7,
                     [](Node& n) { n.children = 3; }));
  all.push_back(node("children_too_few", "F-92", "a child less than there is", 7,
                     [](Node& n) { n.children = 1; }));
  all.push_back(node("children_max", "F-92", "2^32 - 1 children", 0,
                     [](Node& n) { n.children = 0xFFFFFFFF; }));
  all.push_back(node("descendants_too_many", "F-92", "a descendant more than there is", 7,
                     [](Node& n) { n.value = 3; }));
  all.push_back(node("descendants_too_few", "F-92", "a descendant less than there is", 7,
                     [](Node& n) { n.value = 1; }));
  all.push_back(node("descendants_beyond", "F-92", "descendants beyond the last node", 10,
                     [](Node& n) { n.value = 4; }));
  all.push_back(node("descendants_max", "F-92", "2^64 - 1 descendants", 0,
                     [](Node& n) { n.value = ~std::uint64_t{0}; }));
  all.push_back(node("descendants_zero", "F-92", "children without descendants", 7,
                     [](Node& n) { n.value = 0; }));
  all.push_back(
      alone("two_roots", "F-92", "a node beside the root", {{.kind = kNull}, {.kind = kNull}}));
  all.push_back(
      alone("after_list", "F-92", "a node behind a list",
            {{.kind = kList, .children = 1, .value = 1}, {.kind = kNull}, {.kind = kNull}}));
  all.push_back(alone("cut_list", "F-92", "a list cut short",
                      {{.kind = kList, .children = 2, .value = 2}, {.kind = kNull}}));
  Nodes deep(65, {.kind = kList, .children = 1});
  for (std::size_t i = 0; i < deep.size(); ++i) deep[i].value = deep.size() - i - 1;
  deep.back().children = 0;
  all.push_back(alone("depth_65", "F-93", "65 levels", deep));
  Nodes deeper(400, {.kind = kList, .children = 1});
  for (std::size_t i = 0; i < deeper.size(); ++i) deeper[i].value = deeper.size() - i - 1;
  deeper.back().children = 0;
  all.push_back(alone("depth_400", "F-93", "400 levels", deeper));
  Nodes scalar_below(deep.begin() + 1, deep.end());
  scalar_below.back() = {.kind = kList, .children = 1, .value = 1};
  for (std::size_t i = 0; i < 63; ++i) scalar_below[i].value += 1;
  scalar_below.push_back({.kind = kNull});
  all.push_back(alone("depth_65_scalar", "F-93", "a null on level 65", scalar_below));
}

void add_keys(Goldens& all) {
  all.push_back(
      node("key_of_root", "F-94", "a root with a key", 0, [](Node& n) { n.key_kind = 1; }));
  all.push_back(
      node("key_of_item", "F-94", "a list's item with a key", 8, [](Node& n) { n.key_kind = 1; }));
  all.push_back(
      node("key_bits_of_item", "F-94", "a key without a kind", 8, [](Node& n) { n.key = 1; }));
  all.push_back(node("key_missing", "F-94", "a dict's child without a key", 11,
                     [](Node& n) { n.key_kind = 0; }));
  all.push_back(node("key_kind_3", "F-94", "a key of kind 3", 11, [](Node& n) { n.key_kind = 3; }));
  all.push_back(
      node("key_kind_255", "F-94", "a key of kind 255", 11, [](Node& n) { n.key_kind = 255; }));
  all.push_back(
      node("key_twice_int", "F-95", "an integer key twice", 12, [](Node& n) { n.key = 0; }));
  all.push_back(tree("key_twice_string", "F-95", "a string key twice",
                     [](Tree& t) { (*t.strings)[1] = "step"; }));
  all.push_back(hostile(
      "state_key_twice_far_apart", "F-95", "two equal keys among two hundred",
      [](HostileFile& f) { (*f.index.state->strings)[199] = (*f.index.state->strings)[3]; },
      [] {
        IndexDraft draft;
        draft.model.state = StateValue::dict();
        for (int i = 0; i < 200; ++i)
          draft.model.state->set("key " + std::to_string(i), StateValue());
        return HostileFile::from(draft);
      }));
  all.push_back(hostile(
      "state_keys_nine_collide", "F-95", "nine keys that share a hash",
      [](HostileFile& f) {
        Tree& t = f.index.state.emplace();
        t.strings = colliding_names(9);
        t.nodes.push_back({.kind = kDict, .children = 9, .value = 9});
        for (std::uint64_t i = 0; i < 9; ++i)
          t.nodes.push_back({.kind = kNull, .key_kind = 2, .key = i});
      },
      HostileFile::minimal));
}

void add_uses(Goldens& all) {
  all.push_back(node("string_beyond", "F-96", "a string just beyond the last", 11,
                     [](Node& n) { n.value += 1; }));
  all.push_back(node("string_max", "F-96", "string 2^64 - 1", 2,
                     [](Node& n) { n.value = ~std::uint64_t{0}; }));
  all.push_back(node("string_twice", "F-96", "one string for a key and its value", 2,
                     [](Node& n) { n.value = n.key; }));
  all.push_back(node("key_string_max", "F-96", "a key of string 2^64 - 1", 1,
                     [](Node& n) { n.key = ~std::uint64_t{0}; }));
  all.push_back(node("strings_out_of_order", "F-96", "a value's string before its key's", 2,
                     [](Node& n) { std::swap(n.key, n.value); }));
  all.push_back(tree("string_unused", "F-96", "a string that nothing uses",
                     [](Tree& t) { t.strings->push_back("more"); }));
  all.push_back(node("string_without_strings", "F-96", "a string where there are none", 11,
                     [](Node& n) { n.value = 1000; }));
  all.push_back(alone("string_no_vector", "F-96", "a string without a vector of strings",
                      {{.kind = kString}}));
  all.push_back(
      node("blob_beyond", "F-97", "bytes just beyond the last", 12, [](Node& n) { n.value = 2; }));
  all.push_back(
      node("blob_twice", "F-97", "the same bytes twice", 12, [](Node& n) { n.value = 0; }));
  all.push_back(
      node("blob_out_of_order", "F-97", "the second bytes first", 3, [](Node& n) { n.value = 1; }));
  all.push_back(tree("blob_unused", "F-97", "bytes that nothing uses",
                     [](Tree& t) { t.blobs->push_back("more"); }));
  all.push_back(
      alone("blob_no_vector", "F-97", "bytes without a vector of bytes", {{.kind = kBlob}}));
  all.push_back(tree("string_utf8", "F-98", "a string that is no UTF-8",
                     [](Tree& t) { (*t.strings)[2] = "te\xFFxt"; }));
  all.push_back(tree("string_surrogate", "F-98", "a string with half of a surrogate pair",
                     [](Tree& t) { (*t.strings)[2] = "\xED\xA0\x80"; }));
  all.push_back(tree("key_utf8", "F-98", "a key that is no UTF-8",
                     [](Tree& t) { (*t.strings)[0] = "\x80"; }));
  all.push_back(node("tensor_beyond", "F-99", "a tensor just beyond the last", 4,
                     [](Node& n) { n.value = 7; }));
  all.push_back(node("tensor_max", "F-99", "tensor 2^64 - 1", 4,
                     [](Node& n) { n.value = ~std::uint64_t{0}; }));
  all.push_back(node("tensor_2_32", "F-99", "a tensor that is 0 after a cast to 32 bits", 4,
                     [](Node& n) { n.value = std::uint64_t{1} << 32; }));
  all.push_back(
      alone("tensor_of_none", "F-99", "a tensor of a file without tensors", {{.kind = kTensor}}));
  all.push_back(hostile(
      "state_strings_empty", "F-34", "no strings, said with a vector",
      [](HostileFile& f) {
        f.index.state.emplace().nodes = {{.kind = kInt}};
        f.index.state->strings.emplace();
      },
      HostileFile::minimal));
  all.push_back(hostile(
      "state_blobs_empty", "F-34", "no blobs, said with a vector",
      [](HostileFile& f) {
        f.index.state.emplace().nodes = {{.kind = kBool, .value = 1}};
        f.index.state->blobs.emplace();
      },
      HostileFile::minimal));
}

}  // namespace

Goldens invalid_state() {
  Goldens all;
  add_nodes(all);
  add_shape(all);
  add_keys(all);
  add_uses(all);
  return all;
}

}  // namespace ingot::golden
