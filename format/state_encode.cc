#include "format/state_encode.h"

#include <array>
#include <string>

#include "base/error.h"
#include "format/constants.h"

namespace ingot::format {
namespace {

bool is_container(StateKind kind) {
  return kind == StateKind::kList || kind == StateKind::kTuple || kind == StateKind::kDict;
}

// append(), set() and items() can put into a value what its kind cannot hold: it would be lost.
Status check_shape(const StateValue& value) {
  const std::size_t items = value.items().size();
  const std::size_t keys = value.keys().size();
  if (value.kind() == StateKind::kDict) {
    if (keys == items) return {};
    return make_error(Code::kInvalidArgument, "state tree: a dict's item has no key")
        .expected(items)
        .found(keys);
  }
  const bool holds_items = is_container(value.kind());
  if (keys == 0 && (items == 0 || holds_items)) return {};
  return make_error(Code::kInvalidArgument, "state tree: keys or items that the kind cannot hold")
      .expected(std::string(state_kind_name(value.kind())) +
                (holds_items ? " without keys" : " without keys and items"))
      .found(std::to_string(keys) + " keys, " + std::to_string(items) + " items");
}

// Preorder with a stack of its own.
class Flattener {
 public:
  explicit Flattener(const ResolveTensor& resolve) : resolve_(resolve) {}

  Result<FlatState> run(const StateValue& root) {
    INGOT_RETURN_IF_ERROR(add(root, nullptr));
    while (depth_ > 0) {
      Level& level = levels_[depth_ - 1];
      if (level.next == level.value->items().size()) {
        flat_.nodes[level.node].value = flat_.nodes.size() - level.node - 1;
        --depth_;
        continue;
      }
      const std::size_t i = level.next++;
      const bool is_dict = level.value->kind() == StateKind::kDict;
      INGOT_RETURN_IF_ERROR(
          add(level.value->items()[i], is_dict ? &level.value->keys()[i] : nullptr));
    }
    return std::move(flat_);
  }

 private:
  struct Level {
    const StateValue* value = nullptr;
    std::size_t node = 0;
    std::size_t next = 0;  // child
  };

  std::uint64_t add_string(std::string_view text) {
    flat_.strings.push_back(text);
    return flat_.strings.size() - 1;
  }

  Status add(const StateValue& value, const StateKey* key) {
    if (depth_ >= static_cast<std::size_t>(kMaxStateDepth)) {
      return make_error(Code::kInvalidArgument, "state tree is nested too deep")
          .expected("at most " + std::to_string(kMaxStateDepth) + " levels");
    }
    FlatState::Node node;
    node.kind = value.kind();
    if (key != nullptr) {
      node.key_kind = key->is_string() ? kKeyString : kKeyInt;
      node.key =
          key->is_string() ? add_string(key->text()) : static_cast<std::uint64_t>(key->number());
    }
    INGOT_RETURN_IF_ERROR(check_shape(value));
    if (is_container(value.kind())) return push(value, node);
    INGOT_RETURN_IF_ERROR(set_scalar(value, node));
    flat_.nodes.push_back(node);
    return {};
  }

  Status push(const StateValue& value, FlatState::Node node) {
    node.children = static_cast<std::uint32_t>(value.items().size());
    levels_[depth_++] = {.value = &value, .node = flat_.nodes.size()};
    flat_.nodes.push_back(node);
    return {};
  }

  Status set_scalar(const StateValue& value, FlatState::Node& node) {
    if (value.kind() == StateKind::kString) {
      node.value = add_string(value.text());
    } else if (value.kind() == StateKind::kBytes) {
      node.value = flat_.blobs.size();
      flat_.blobs.push_back(value.as_bytes());
    } else if (value.kind() == StateKind::kTensor) {
      const auto ordinal = resolve_(value.text());
      if (!ordinal) {
        return make_error(Code::kInvalidArgument, "state tree refers to an unknown tensor")
            .tensor(value.text());
      }
      node.value = *ordinal;
    } else {  // null, bool, int64 and the bits of a float64
      node.value = static_cast<std::uint64_t>(value.as_int64());
    }
    return {};
  }

  const ResolveTensor& resolve_;
  FlatState flat_;
  std::array<Level, static_cast<std::size_t>(kMaxStateDepth)> levels_;
  std::size_t depth_ = 0;
};

}  // namespace

Result<FlatState> flatten_state(const StateValue& root, const ResolveTensor& resolve) {
  return Flattener(resolve).run(root);
}

}  // namespace ingot::format
