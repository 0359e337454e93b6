#include "tools/convert/state_keys.h"

#include <limits>

namespace ingot::tools {
namespace {

using nlohmann::json;

StateValue from_json(const json& value) {
  switch (value.type()) {
    case json::value_t::boolean:
      return StateValue::boolean(value.get<bool>());
    case json::value_t::number_integer:
      return StateValue::integer(value.get<std::int64_t>());
    case json::value_t::number_unsigned:
      if (value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
        return StateValue::real(value.get<double>());
      }
      return StateValue::integer(value.get<std::int64_t>());
    case json::value_t::number_float:
      return StateValue::real(value.get<double>());
    case json::value_t::string:
      return StateValue::string(value.get<std::string>());
    case json::value_t::array: {
      StateValue list = StateValue::list();
      for (const json& item : value) list.append(from_json(item));
      return list;
    }
    case json::value_t::object: {
      StateValue dict = StateValue::dict();
      for (const auto& [key, item] : value.items()) dict.set(key, from_json(item));
      return dict;
    }
    case json::value_t::null:
    case json::value_t::binary:
    case json::value_t::discarded:
      break;
  }
  return StateValue::null();
}

// nullopt when the value is not what an import makes.
std::optional<json> to_json(const StateValue& value) {
  switch (value.kind()) {
    case StateKind::kNull:
      return json(nullptr);
    case StateKind::kBool:
      return json(value.as_bool());
    case StateKind::kInt64:
      return json(value.as_int64());
    case StateKind::kFloat64:
      return json(value.as_float64());
    case StateKind::kString:
      return json(value.text());
    case StateKind::kList: {
      json array = json::array();
      for (const StateValue& item : value.items()) {
        std::optional<json> converted = to_json(item);
        if (!converted) return std::nullopt;
        array.push_back(*std::move(converted));
      }
      return array;
    }
    case StateKind::kDict: {
      json object = json::object();
      for (std::size_t i = 0; i < value.items().size(); ++i) {
        std::optional<json> converted = to_json(value.items()[i]);
        if (!converted || !value.keys()[i].is_string()) return std::nullopt;
        object[value.keys()[i].text()] = *std::move(converted);
      }
      return object;
    }
    case StateKind::kBytes:
    case StateKind::kTuple:
    case StateKind::kTensor:
      break;
  }
  return std::nullopt;
}

// nullopt when it is not a dict of strings.
std::optional<safetensors::Metadata> to_metadata(const StateValue& value) {
  if (value.kind() != StateKind::kDict) return std::nullopt;
  safetensors::Metadata metadata;
  for (std::size_t i = 0; i < value.items().size(); ++i) {
    const StateKey& key = value.keys()[i];
    if (!key.is_string() || value.items()[i].kind() != StateKind::kString) return std::nullopt;
    metadata.emplace_back(key.text(), value.items()[i].text());
  }
  return metadata;
}

// Takes one entry of the root; false when .safetensors has no place for it.
bool take(const StateKey& key, const StateValue& value, ExportedState& exported) {
  if (!key.is_string()) return false;
  if (key.text() == kMetadataKey) {
    exported.metadata = to_metadata(value);
    return exported.metadata.has_value();
  }
  if (key.text() != kIndexMetadataKey) return false;
  std::optional<json> converted = to_json(value);
  if (!converted || !converted->is_object()) return false;
  exported.index_metadata = *std::move(converted);
  return true;
}

std::string key_text(const StateKey& key) {
  return key.is_string() ? key.text() : std::to_string(key.number());
}

}  // namespace

std::optional<StateValue> make_state(const std::optional<safetensors::Metadata>& metadata,
                                     const json& index_metadata) {
  if (!metadata && index_metadata.is_null()) return std::nullopt;
  StateValue root = StateValue::dict();
  if (metadata) {
    StateValue dict = StateValue::dict();
    for (const auto& [key, value] : *metadata) dict.set(key, StateValue::string(value));
    root.set(kMetadataKey, std::move(dict));
  }
  if (!index_metadata.is_null()) root.set(kIndexMetadataKey, from_json(index_metadata));
  return root;
}

StateValue copy_state(const Checkpoint& checkpoint, const StateView& view) {
  const auto children = [&](StateValue container) {
    for (auto child = view.first_child(); child; child = child->next_sibling()) {
      container.append(copy_state(checkpoint, *child));
    }
    return container;
  };
  switch (view.kind()) {
    case StateKind::kNull:
      return StateValue::null();
    case StateKind::kBool:
      return StateValue::boolean(view.as_bool());
    case StateKind::kInt64:
      return StateValue::integer(view.as_int64());
    case StateKind::kFloat64:
      return StateValue::real(view.as_float64());
    case StateKind::kString:
      return StateValue::string(std::string(view.as_string()));
    case StateKind::kBytes:
      return StateValue::bytes({view.as_bytes().begin(), view.as_bytes().end()});
    case StateKind::kList:
      return children(StateValue::list());
    case StateKind::kTuple:
      return children(StateValue::tuple());
    case StateKind::kDict: {
      StateValue dict = StateValue::dict();
      for (auto child = view.first_child(); child; child = child->next_sibling()) {
        dict.set(*child->key(), copy_state(checkpoint, *child));
      }
      return dict;
    }
    case StateKind::kTensor:
      return StateValue::tensor(std::string(checkpoint.info(view.as_tensor()).name));
  }
  return StateValue::null();
}

ExportedState split_state(const Checkpoint& checkpoint) {
  ExportedState exported;
  const std::optional<StateView> view = checkpoint.state();
  if (!view) return exported;
  const StateValue root = copy_state(checkpoint, *view);
  if (root.kind() != StateKind::kDict) {
    exported.extra.emplace_back("state");
    return exported;
  }
  for (std::size_t i = 0; i < root.items().size(); ++i) {
    if (!take(root.keys()[i], root.items()[i], exported)) {
      exported.extra.push_back("state \"" + key_text(root.keys()[i]) + "\"");
    }
  }
  return exported;
}

}  // namespace ingot::tools
