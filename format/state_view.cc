#include <bit>
#include <cstring>

#include "ingot/state.h"

#include "base/bytes.h"
#include "format/index_generated.h"
#include "format/state_encode.h"

namespace ingot {
namespace {

// StateView::Table stands for the FlatBuffer's own root, so that a view owns nothing.
const fbs::Index& index(const StateView::Table* table) {
  return *reinterpret_cast<const fbs::Index*>(table);
}

const fbs::StateTree& tree(const StateView::Table* table) { return *index(table).state(); }

const fbs::StateNode& node_at(const StateView::Table* table, std::uint32_t node) {
  return *tree(table).nodes()->Get(node);
}

std::string_view string_at(const StateView::Table* table, std::uint64_t number) {
  const auto* text = tree(table).strings()->Get(static_cast<std::uint32_t>(number));
  return {text->c_str(), text->size()};
}

// Nodes from this one to the one after its last descendant.
std::uint32_t span_of(const fbs::StateNode& node) {
  const bool container = node.kind() >= static_cast<std::uint8_t>(StateKind::kList) &&
                         node.kind() <= static_cast<std::uint8_t>(StateKind::kDict);
  return container ? static_cast<std::uint32_t>(node.value()) + 1 : 1;
}

}  // namespace

StateKind StateView::kind() const { return static_cast<StateKind>(node_at(table_, node_).kind()); }
bool StateView::as_bool() const { return node_at(table_, node_).value() != 0; }
std::int64_t StateView::as_int64() const {
  return static_cast<std::int64_t>(node_at(table_, node_).value());
}
double StateView::as_float64() const {
  return std::bit_cast<double>(node_at(table_, node_).value());
}
std::string_view StateView::as_string() const {
  return string_at(table_, node_at(table_, node_).value());
}
std::span<const std::byte> StateView::as_bytes() const {
  const auto number = static_cast<std::uint32_t>(node_at(table_, node_).value());
  const auto* data = tree(table_).blobs()->Get(number)->data();
  return std::as_bytes(std::span(data->data(), data->size()));
}
std::uint32_t StateView::as_tensor() const {
  return static_cast<std::uint32_t>(node_at(table_, node_).value());
}
std::string_view StateView::as_tensor_name() const {
  const auto* name = index(table_).tensors()->Get(as_tensor())->name();
  return {name->c_str(), name->size()};
}

std::uint32_t StateView::size() const { return node_at(table_, node_).children(); }

std::optional<StateKey> StateView::key() const {
  const fbs::StateNode& node = node_at(table_, node_);
  if (node.key_kind() == format::kKeyInt) return StateKey(static_cast<std::int64_t>(node.key()));
  if (node.key_kind() == format::kKeyString) return StateKey(string_at(table_, node.key()));
  return std::nullopt;
}
bool StateView::has_string_key() const {
  return node_at(table_, node_).key_kind() == format::kKeyString;
}
std::string_view StateView::string_key() const {
  return string_at(table_, node_at(table_, node_).key());
}

std::optional<StateView> StateView::first_child() const {
  const std::uint32_t children = size();
  if (children == 0) return std::nullopt;
  return StateView(table_, node_ + 1, children - 1);
}

std::optional<StateView> StateView::next_sibling() const {
  if (siblings_left_ == 0) return std::nullopt;
  return StateView(table_, node_ + span_of(node_at(table_, node_)), siblings_left_ - 1);
}

std::optional<StateView> StateView::child(std::uint32_t position) const {
  auto child = first_child();
  while (child && position-- > 0) child = child->next_sibling();
  return child;
}

std::optional<StateView> StateView::find(std::string_view key) const {
  for (auto child = first_child(); child; child = child->next_sibling()) {
    if (child->has_string_key() && child->string_key() == key) return child;
  }
  return std::nullopt;
}

std::optional<StateView> StateView::find(std::int64_t key) const {
  for (auto child = first_child(); child; child = child->next_sibling()) {
    const fbs::StateNode& node = node_at(table_, child->node_);
    if (node.key_kind() == format::kKeyInt && static_cast<std::int64_t>(node.key()) == key) {
      return child;
    }
  }
  return std::nullopt;
}

}  // namespace ingot
