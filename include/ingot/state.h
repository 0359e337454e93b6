// The state tree: everything in a checkpoint that is not a tensor. Typed values, no pickle.
//
// StateValue is an owned tree, for writing. StateView is a cursor into a checkpoint's index, for
// reading: nothing is copied, and it is valid as long as its Checkpoint. Depth is at most 64.
// docs/format.md, "State tree", lists the well-known keys of the root.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot {

inline constexpr int kMaxStateDepth = 64;

enum class StateKind : std::uint8_t {
  kNull = 0,
  kBool = 1,
  kInt64 = 2,
  kFloat64 = 3,  // bit-exact, NaN payloads too
  kString = 4,   // UTF-8
  kBytes = 5,
  kList = 6,
  kTuple = 7,
  kDict = 8,    // ordered; keys are unique within the dict, each an int64 or a string
  kTensor = 9,  // names a tensor of the same file
};
std::string_view state_kind_name(StateKind kind);

class StateValue;

// A key of a dict.
class StateKey {
 public:
  StateKey(std::int64_t number) : number_(number) {}                        // NOLINT
  StateKey(int number) : number_(number) {}                                 // NOLINT
  StateKey(std::string text) : is_string_(true), text_(std::move(text)) {}  // NOLINT
  StateKey(std::string_view text) : is_string_(true), text_(text) {}        // NOLINT
  StateKey(const char* text) : is_string_(true), text_(text) {}             // NOLINT

  bool is_string() const { return is_string_; }
  std::int64_t number() const { return number_; }
  const std::string& text() const { return text_; }
  friend bool operator==(const StateKey&, const StateKey&) = default;

 private:
  bool is_string_ = false;
  std::int64_t number_ = 0;
  std::string text_;
};

class StateValue {
 public:
  StateValue() = default;  // null
  static StateValue null() { return {}; }
  static StateValue boolean(bool value);
  static StateValue integer(std::int64_t value);
  static StateValue real(double value);
  static StateValue string(std::string value);
  static StateValue bytes(std::vector<std::byte> value);
  static StateValue list(std::vector<StateValue> items = {});
  static StateValue tuple(std::vector<StateValue> items = {});
  static StateValue dict();
  // Refers to a tensor by name; the writer resolves it.
  static StateValue tensor(std::string name);

  StateKind kind() const { return kind_; }
  // REQUIRES of each: the kind that it names. Of another kind they answer without meaning: 0,
  // empty, or another kind's bits; nothing is out of bounds.
  bool as_bool() const { return number_ != 0; }
  std::int64_t as_int64() const { return number_; }
  double as_float64() const;
  const std::string& text() const { return text_; }  // string, or the tensor's name
  std::span<const std::byte> as_bytes() const;
  const std::vector<StateKey>& keys() const { return keys_; }  // of a dict, in order
  const std::vector<StateValue>& items() const { return items_; }
  std::vector<StateValue>& items() { return items_; }

  // Appends to a list or tuple; null becomes a list. Returns the item.
  StateValue& append(StateValue item);
  // Sets a key of a dict: replaces the value where the key exists, else appends; null becomes a
  // dict. Returns the value.
  StateValue& set(StateKey key, StateValue value);
  // The value under a key, or null pointer.
  const StateValue* find(const StateKey& key) const;
  // What the three return is valid until the next append() or set() of the same list or dict. Items
  // or keys in a value whose kind has none are refused when it is written: Writer::create() then
  // answers kInvalidArgument.

 private:
  StateKind kind_ = StateKind::kNull;
  std::int64_t number_ = 0;  // bool, int64, or the bits of a float64
  std::string text_;         // string, bytes, tensor name
  std::vector<StateKey> keys_;
  std::vector<StateValue> items_;
  std::vector<std::uint32_t> slots_;  // hash table over keys_, once a dict is large
};

class StateView {
 public:
  struct Node;   // opaque: an element of the index
  struct Table;  // opaque: the index
  // Internal: a checkpoint makes these (Checkpoint::state()).
  StateView(const Table* table, std::uint32_t node) : table_(table), node_(node) {}

  StateKind kind() const;
  // REQUIRES: the kind each one names.
  bool as_bool() const;
  std::int64_t as_int64() const;
  double as_float64() const;
  std::string_view as_string() const;
  std::span<const std::byte> as_bytes() const;
  std::uint32_t as_tensor() const;          // ordinal of the tensor
  std::string_view as_tensor_name() const;  // its name

  // Children of a list, tuple or dict, in order; 0 for all other kinds.
  std::uint32_t size() const;
  // Key of this value within the dict that holds it; nullopt when it is no dict's child.
  std::optional<StateKey> key() const;
  bool has_string_key() const;
  std::string_view string_key() const;  // REQUIRES: has_string_key()

  // Walks the children: `for (auto c = v.first_child(); c; c = c->next_sibling())`.
  std::optional<StateView> first_child() const;
  std::optional<StateView> next_sibling() const;
  // Linear in the number of children.
  std::optional<StateView> child(std::uint32_t position) const;
  std::optional<StateView> find(std::string_view key) const;
  std::optional<StateView> find(std::int64_t key) const;

 private:
  StateView(const Table* table, std::uint32_t node, std::uint32_t siblings_left)
      : table_(table), node_(node), siblings_left_(siblings_left) {}
  const Table* table_;
  std::uint32_t node_;
  std::uint32_t siblings_left_ = 0;
};

}  // namespace ingot
