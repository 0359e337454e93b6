#include <algorithm>
#include <array>
#include <vector>

#include "ingot/state.h"

#include "format/constants.h"
#include "format/digest.h"
#include "format/state_encode.h"
#include "format/validate_internal.h"

namespace ingot::format {
namespace {

using Nodes = flatbuffers::Vector<const fbs::StateNode*>;
using Strings = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;
using Blobs = flatbuffers::Vector<flatbuffers::Offset<fbs::Blob>>;

bool is_container(StateKind kind) { return kind >= StateKind::kList && kind <= StateKind::kDict; }

template <typename Vector>
std::uint32_t size_of(const Vector* vector) {
  return vector != nullptr ? vector->size() : 0;
}

// One pass over the nodes in preorder, with a stack of fixed depth.
class StatePass {
 public:
  StatePass(const IndexCheck& check, const fbs::StateTree& state, std::uint32_t tensors)
      : check_(check),
        nodes_(*state.nodes()),
        strings_(size_of(state.strings())),
        blobs_(size_of(state.blobs())),
        tensors_(tensors) {}

  Status run() {
    for (number_ = 0; number_ < nodes_.size(); ++number_) {
      while (depth_ > 0 && levels_[depth_ - 1].children == 0) INGOT_RETURN_IF_ERROR(leave());
      INGOT_RETURN_IF_ERROR(enter(*nodes_.Get(number_)));
    }
    while (depth_ > 0) INGOT_RETURN_IF_ERROR(leave());
    if (next_string_ != strings_) {
      return check_.rejected("F-96: strings that no node uses")
          .expected(next_string_)
          .found(strings_);
    }
    if (next_blob_ != blobs_) {
      return check_.rejected("F-97: blobs that no node uses").expected(next_blob_).found(blobs_);
    }
    return {};
  }

 private:
  struct Level {
    StateKind kind = StateKind::kNull;
    std::uint32_t children = 0;  // still to come
    std::uint64_t end = 0;       // number of the node after the last descendant
  };

  ErrorBuilder rejected(const std::string& what) const {
    return check_.rejected(what + ": state node " + std::to_string(number_));
  }

  Status enter(const fbs::StateNode& node) {
    if (number_ > 0) {
      if (depth_ == 0) {
        return rejected("F-92: a node after the root's last descendant")
            .expected(std::to_string(number_) + " nodes")
            .found(nodes_.size());
      }
      if (const Level& level = levels_[depth_ - 1]; number_ >= level.end) {
        return rejected("F-92: fewer descendants than children need")
            .expected(std::to_string(level.children) + " more children")
            .found("descendants that end before node " + std::to_string(level.end));
      }
      --levels_[depth_ - 1].children;
    }
    if (depth_ >= kMaxStateDepth) {
      return rejected("F-93: nested deeper than 64 levels")
          .expected("at most " + std::to_string(kMaxStateDepth))
          .found(depth_ + 1);
    }
    if (node.kind() > static_cast<std::uint8_t>(StateKind::kTensor)) {
      return rejected("F-91: unknown kind")
          .expected("0 to " + std::to_string(static_cast<int>(StateKind::kTensor)))
          .found(node.kind());
    }
    if (node.reserved() != 0) {
      return rejected("F-91: reserved field is not zero").expected(0).found(node.reserved());
    }
    INGOT_RETURN_IF_ERROR(check_key(node));
    const auto kind = static_cast<StateKind>(node.kind());
    if (is_container(kind)) return push(node, kind);
    if (node.children() != 0) {
      return rejected("F-91: a value without children has a child count")
          .expected(0)
          .found(node.children());
    }
    return check_value(kind, node.value());
  }

  Status leave() {
    const Level& level = levels_[depth_ - 1];
    if (level.children != 0 || level.end != number_) {
      return rejected("F-92: counts of children and descendants disagree")
          .expected("no more children, descendants up to node " + std::to_string(number_))
          .found(std::to_string(level.children) + " more, and up to node " +
                 std::to_string(level.end));
    }
    --depth_;
    return {};
  }

  Status push(const fbs::StateNode& node, StateKind kind) {
    const std::uint64_t first = std::uint64_t{number_} + 1;
    const std::uint64_t end = depth_ > 0 ? levels_[depth_ - 1].end : nodes_.size();
    if (node.value() > end - first || node.children() > node.value()) {
      return rejected("F-92: more descendants than there is room for")
          .expected("at most " + std::to_string(end - first))
          .found(std::to_string(node.value()) + ", and " + std::to_string(node.children()) +
                 " children");
    }
    levels_[depth_++] = {.kind = kind, .children = node.children(), .end = first + node.value()};
    return {};
  }

  Status check_key(const fbs::StateNode& node) {
    const bool in_dict = depth_ > 0 && levels_[depth_ - 1].kind == StateKind::kDict;
    if (!in_dict) {
      if (node.key_kind() == kKeyNone && node.key() == 0) return {};
      return rejected("F-94: a key outside a dict")
          .expected("key kind 0, key 0")
          .found("key kind " + std::to_string(node.key_kind()) + ", key " +
                 std::to_string(node.key()));
    }
    if (node.key_kind() == kKeyInt) return {};
    if (node.key_kind() != kKeyString) {
      return rejected("F-94: a dict's child without a key")
          .expected("key kind 1 or 2")
          .found(node.key_kind());
    }
    return use_string(node.key());
  }

  Status use_string(std::uint64_t number) {
    if (number != next_string_ || number >= strings_) {
      return rejected("F-96: strings are not in the order of their use")
          .expected("string " + std::to_string(next_string_) + " of " + std::to_string(strings_))
          .found("string " + std::to_string(number));
    }
    ++next_string_;
    return {};
  }

  Status check_value(StateKind kind, std::uint64_t value) {
    if (kind == StateKind::kString) return use_string(value);
    if (kind == StateKind::kBytes) {
      if (value != next_blob_ || value >= blobs_) {
        return rejected("F-97: blobs are not in the order of their use")
            .expected("blob " + std::to_string(next_blob_) + " of " + std::to_string(blobs_))
            .found("blob " + std::to_string(value));
      }
      ++next_blob_;
    }
    if (kind == StateKind::kNull && value != 0) {
      return rejected("F-91: null has a value").expected(0).found(value);
    }
    if (kind == StateKind::kBool && value > 1) {
      return rejected("F-91: bool is neither 0 nor 1").expected("0 or 1").found(value);
    }
    if (kind == StateKind::kTensor && value >= tensors_) {
      return rejected("F-99: refers to a tensor that is not there")
          .expected("below " + std::to_string(tensors_))
          .found(value);
    }
    return {};
  }

  const IndexCheck& check_;
  const Nodes& nodes_;
  std::uint32_t strings_;
  std::uint32_t blobs_;
  std::uint32_t tensors_;
  std::array<Level, kMaxStateDepth> levels_;
  std::size_t depth_ = 0;
  std::uint32_t number_ = 0;
  std::uint32_t next_string_ = 0;
  std::uint32_t next_blob_ = 0;
};

// F-95: keys of a dict differ. REQUIRES: StatePass accepted the tree.
class KeyPass {
 public:
  KeyPass(const IndexCheck& check, const fbs::StateTree& state)
      : check_(check), nodes_(*state.nodes()), strings_(state.strings()) {}

  Status run() {
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
      const fbs::StateNode& node = *nodes_.Get(i);
      if (static_cast<StateKind>(node.kind()) != StateKind::kDict || node.children() < 2) continue;
      INGOT_RETURN_IF_ERROR(check_dict(i, node.children()));
    }
    return {};
  }

 private:
  static constexpr std::size_t kSmall = 64;
  struct Key {
    std::uint8_t kind = 0;
    std::uint32_t string = 0;
    std::uint64_t hash = 0;  // of a string; the number itself of an int
  };

  // Sorting costs 16 bytes a child, less than the 24 that each child's node takes in the index; so
  // the memory is bounded by bytes that are really there, not by a claim.
  Status check_dict(std::uint32_t dict, std::uint32_t children) {
    std::array<Key, kSmall> small;
    std::vector<Key> large(children > kSmall ? children : 0);
    const std::span<Key> keys =
        children > kSmall ? std::span<Key>(large) : std::span<Key>(small).first(children);
    std::uint32_t node = dict + 1;
    for (Key& key : keys) {
      key = key_of(*nodes_.Get(node));
      node += descendants(*nodes_.Get(node)) + 1;
    }
    std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
      return a.kind != b.kind ? a.kind < b.kind : a.hash < b.hash;
    });
    return check_sorted(keys, dict);
  }

  static std::uint32_t descendants(const fbs::StateNode& node) {
    const bool container = is_container(static_cast<StateKind>(node.kind()));
    return container ? static_cast<std::uint32_t>(node.value()) : 0;
  }

  std::string_view text(const Key& key) const { return text_of(strings_->Get(key.string)); }

  Key key_of(const fbs::StateNode& node) const {
    if (node.key_kind() == kKeyInt) return {.kind = kKeyInt, .hash = node.key()};
    const auto string = static_cast<std::uint32_t>(node.key());
    return {.kind = kKeyString,
            .string = string,
            .hash = xxh3_64(as_bytes(text_of(strings_->Get(string))))};
  }

  Status check_sorted(std::span<const Key> keys, std::uint32_t dict) const {
    const std::string where = ": the dict at state node " + std::to_string(dict);
    const auto duplicate = [&](const std::string& key) {
      return check_.rejected("F-95: a key occurs twice" + where)
          .expected("keys that differ")
          .found(key);
    };
    std::size_t first = 0;  // of the keys that share a hash
    for (std::size_t i = 1; i < keys.size(); ++i) {
      if (keys[i].kind != keys[first].kind || keys[i].hash != keys[first].hash) {
        first = i;
        continue;
      }
      if (keys[i].kind == kKeyInt) {
        return duplicate(std::to_string(static_cast<std::int64_t>(keys[i].hash)) + " twice");
      }
      if (i - first >= kMaxHashRun) {
        return check_.rejected("F-95: too many keys share a hash" + where)
            .expected("at most " + std::to_string(kMaxHashRun))
            .found(i - first + 1);
      }
      for (std::size_t j = first; j < i; ++j) {
        if (text(keys[j]) == text(keys[i])) return duplicate(quoted(text(keys[i])) + " twice");
      }
    }
    return {};
  }

  const IndexCheck& check_;
  const Nodes& nodes_;
  const Strings* strings_;
};

Status check_strings(IndexCheck& check, const Strings* strings) {
  if (strings == nullptr) return {};
  if (strings->size() == 0) {
    return check.empty_vector("strings");
  }
  for (const flatbuffers::String* text : *strings) {
    // The budget first: it is what bounds the time that reading the text takes.
    if (!check.refer(text)) return check.over_budget();
    if (!is_valid_utf8(text_of(text))) {
      return check.rejected("F-98: a string of the state tree is not UTF-8")
          .expected("UTF-8")
          .found(quoted(text_of(text)));
    }
  }
  return {};
}

Status check_blobs(IndexCheck& check, const Blobs* blobs) {
  if (blobs == nullptr) return {};
  if (blobs->size() == 0) {
    return check.empty_vector("blobs");
  }
  for (const fbs::Blob* blob : *blobs) {
    if (!check.refer(kTableBytes) || !check.refer(blob->data(), 1)) return check.over_budget();
  }
  return {};
}

}  // namespace

Status validate_state(IndexCheck& check, const fbs::StateTree& state, std::uint32_t tensor_count) {
  if (!check.elements_aligned(state.nodes())) return check.misaligned(state.nodes());
  if (!check.refer(kTableBytes) || !check.refer(state.nodes(), sizeof(fbs::StateNode)) ||
      !check.refer(state.strings(), kOffsetBytes) || !check.refer(state.blobs(), kOffsetBytes)) {
    return check.over_budget();
  }
  if (state.nodes()->size() == 0) {
    return check.rejected("F-90: a state tree without a root").expected("at least 1 node").found(0);
  }
  INGOT_RETURN_IF_ERROR(check_strings(check, state.strings()));
  INGOT_RETURN_IF_ERROR(check_blobs(check, state.blobs()));
  INGOT_RETURN_IF_ERROR(StatePass(check, state, tensor_count).run());
  return KeyPass(check, state).run();
}

}  // namespace ingot::format
