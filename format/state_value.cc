#include <bit>
#include <cstring>

#include "ingot/state.h"

#include "base/bytes.h"
#include "format/digest.h"

namespace ingot {
namespace {

// Below this a dict is searched from its start.
constexpr std::size_t kHashedFrom = 16;
constexpr std::uint32_t kFreeSlot = ~std::uint32_t{0};

std::uint64_t hash_of(const StateKey& key) {
  if (key.is_string()) return format::xxh3_64(as_bytes(key.text()));
  const std::int64_t number = key.number();
  return format::xxh3_64(std::as_bytes(std::span(&number, 1)));
}

// Linear probing; at most half full.
void insert_slot(std::vector<std::uint32_t>& slots, const StateKey& key, std::size_t position) {
  const std::size_t mask = slots.size() - 1;
  std::size_t slot = hash_of(key) & mask;
  while (slots[slot] != kFreeSlot) slot = (slot + 1) & mask;
  slots[slot] = static_cast<std::uint32_t>(position);
}

void index_last_key(std::vector<std::uint32_t>& slots, const std::vector<StateKey>& keys) {
  if (keys.size() < kHashedFrom) return;
  if (slots.size() >= 2 * keys.size()) return insert_slot(slots, keys.back(), keys.size() - 1);
  slots.assign(std::bit_ceil(4 * keys.size()), kFreeSlot);
  for (std::size_t i = 0; i < keys.size(); ++i) insert_slot(slots, keys[i], i);
}

std::optional<std::size_t> position_of(const StateKey& key, const std::vector<StateKey>& keys,
                                       const std::vector<std::uint32_t>& slots) {
  if (slots.empty()) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i] == key) return i;
    }
    return std::nullopt;
  }
  const std::size_t mask = slots.size() - 1;
  for (std::size_t slot = hash_of(key) & mask; slots[slot] != kFreeSlot; slot = (slot + 1) & mask) {
    if (keys[slots[slot]] == key) return slots[slot];
  }
  return std::nullopt;
}

}  // namespace

std::string_view state_kind_name(StateKind kind) {
  switch (kind) {
    case StateKind::kNull:
      return "null";
    case StateKind::kBool:
      return "bool";
    case StateKind::kInt64:
      return "int64";
    case StateKind::kFloat64:
      return "float64";
    case StateKind::kString:
      return "string";
    case StateKind::kBytes:
      return "bytes";
    case StateKind::kList:
      return "list";
    case StateKind::kTuple:
      return "tuple";
    case StateKind::kDict:
      return "dict";
    case StateKind::kTensor:
      return "tensor";
  }
  return "unknown";
}

StateValue StateValue::boolean(bool value) {
  StateValue result;
  result.kind_ = StateKind::kBool;
  result.number_ = value ? 1 : 0;
  return result;
}

StateValue StateValue::integer(std::int64_t value) {
  StateValue result;
  result.kind_ = StateKind::kInt64;
  result.number_ = value;
  return result;
}

StateValue StateValue::real(double value) {
  StateValue result;
  result.kind_ = StateKind::kFloat64;
  result.number_ = std::bit_cast<std::int64_t>(value);
  return result;
}

StateValue StateValue::string(std::string value) {
  StateValue result;
  result.kind_ = StateKind::kString;
  result.text_ = std::move(value);
  return result;
}

StateValue StateValue::bytes(std::vector<std::byte> value) {
  StateValue result;
  result.kind_ = StateKind::kBytes;
  result.text_ = as_text(value);
  return result;
}

StateValue StateValue::list(std::vector<StateValue> items) {
  StateValue result;
  result.kind_ = StateKind::kList;
  result.items_ = std::move(items);
  return result;
}

StateValue StateValue::tuple(std::vector<StateValue> items) {
  StateValue result;
  result.kind_ = StateKind::kTuple;
  result.items_ = std::move(items);
  return result;
}

StateValue StateValue::dict() {
  StateValue result;
  result.kind_ = StateKind::kDict;
  return result;
}

StateValue StateValue::tensor(std::string name) {
  StateValue result;
  result.kind_ = StateKind::kTensor;
  result.text_ = std::move(name);
  return result;
}

double StateValue::as_float64() const { return std::bit_cast<double>(number_); }

std::span<const std::byte> StateValue::as_bytes() const { return ingot::as_bytes(text_); }

StateValue& StateValue::append(StateValue item) {
  if (kind_ == StateKind::kNull) kind_ = StateKind::kList;
  return items_.emplace_back(std::move(item));
}

StateValue& StateValue::set(StateKey key, StateValue value) {
  if (kind_ == StateKind::kNull) kind_ = StateKind::kDict;
  if (const auto position = position_of(key, keys_, slots_)) {
    return items_[*position] = std::move(value);
  }
  keys_.push_back(std::move(key));
  index_last_key(slots_, keys_);
  return items_.emplace_back(std::move(value));
}

const StateValue* StateValue::find(const StateKey& key) const {
  const auto position = position_of(key, keys_, slots_);
  return position ? &items_[*position] : nullptr;
}

}  // namespace ingot
