#include "tools/diff/state_diff.h"

#include <algorithm>
#include <bit>

namespace ingot::tools {
namespace {

bool is_container(const StateValue& value) {
  return value.kind() == StateKind::kList || value.kind() == StateKind::kTuple ||
         value.kind() == StateKind::kDict;
}

bool same_leaf(const StateValue& a, const StateValue& b) {
  switch (a.kind()) {
    case StateKind::kBool:
    case StateKind::kInt64:
      return a.as_int64() == b.as_int64();
    case StateKind::kFloat64:
      return std::bit_cast<std::uint64_t>(a.as_float64()) ==
             std::bit_cast<std::uint64_t>(b.as_float64());
    case StateKind::kString:
    case StateKind::kTensor:
      return a.text() == b.text();
    case StateKind::kBytes:
      return std::equal(a.as_bytes().begin(), a.as_bytes().end(), b.as_bytes().begin(),
                        b.as_bytes().end());
    case StateKind::kNull:
    case StateKind::kList:
    case StateKind::kTuple:
    case StateKind::kDict:
      break;
  }
  return true;
}

std::string step(const StateKey& key) {
  if (!key.is_string()) return "/" + std::to_string(key.number());
  std::string text = "/";
  for (const char c : key.text()) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

class Differ {
 public:
  void compare(const std::string& path, const StateValue& a, const StateValue& b) {
    if (a.kind() != b.kind()) return add(path, StateChange::Kind::kChanged, &a, &b);
    if (a.kind() == StateKind::kDict) return compare_dicts(path, a, b);
    if (is_container(a)) return compare_lists(path, a, b);
    if (!same_leaf(a, b)) add(path, StateChange::Kind::kChanged, &a, &b);
  }
  void add(const std::string& path, StateChange::Kind kind, const StateValue* a,
           const StateValue* b) {
    StateChange change;
    change.path = path;
    change.kind = kind;
    if (a != nullptr && !is_container(*a)) change.a = *a;
    if (b != nullptr && !is_container(*b)) change.b = *b;
    changes_.push_back(std::move(change));
  }
  std::vector<StateChange> take() { return std::move(changes_); }

 private:
  void compare_lists(const std::string& path, const StateValue& a, const StateValue& b) {
    const std::size_t common = std::min(a.items().size(), b.items().size());
    for (std::size_t i = 0; i < common; ++i) {
      compare(path + "/" + std::to_string(i), a.items()[i], b.items()[i]);
    }
    for (std::size_t i = common; i < a.items().size(); ++i) {
      add(path + "/" + std::to_string(i), StateChange::Kind::kRemoved, &a.items()[i], nullptr);
    }
    for (std::size_t i = common; i < b.items().size(); ++i) {
      add(path + "/" + std::to_string(i), StateChange::Kind::kAdded, nullptr, &b.items()[i]);
    }
  }

  void compare_dicts(const std::string& path, const StateValue& a, const StateValue& b) {
    std::vector<const StateKey*> common;
    for (std::size_t i = 0; i < a.keys().size(); ++i) {
      const StateKey& key = a.keys()[i];
      if (const StateValue* other = b.find(key)) {
        common.push_back(&key);
        compare(path + step(key), a.items()[i], *other);
      } else {
        add(path + step(key), StateChange::Kind::kRemoved, &a.items()[i], nullptr);
      }
    }
    bool same_order = true;
    std::size_t next = 0;
    for (std::size_t i = 0; i < b.keys().size(); ++i) {
      const StateKey& key = b.keys()[i];
      if (a.find(key) == nullptr) {
        add(path + step(key), StateChange::Kind::kAdded, nullptr, &b.items()[i]);
      } else {
        same_order = same_order && *common[next++] == key;
      }
    }
    if (!same_order) add(path, StateChange::Kind::kReordered, nullptr, nullptr);
  }

  std::vector<StateChange> changes_;
};

}  // namespace

std::string_view change_name(StateChange::Kind kind) {
  switch (kind) {
    case StateChange::Kind::kAdded:
      return "added";
    case StateChange::Kind::kRemoved:
      return "removed";
    case StateChange::Kind::kChanged:
      return "changed";
    case StateChange::Kind::kReordered:
      return "reordered";
  }
  return "";
}

std::vector<StateChange> diff_state(const std::optional<StateValue>& a,
                                    const std::optional<StateValue>& b) {
  Differ differ;
  if (a && b) {
    differ.compare("", *a, *b);
  } else if (a) {
    differ.add("", StateChange::Kind::kRemoved, &*a, nullptr);
  } else if (b) {
    differ.add("", StateChange::Kind::kAdded, nullptr, &*b);
  }
  return differ.take();
}

}  // namespace ingot::tools
