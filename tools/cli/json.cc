#include "tools/cli/json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace ingot::tools {
namespace {

Json bytes_to_json(std::span<const std::byte> bytes) {
  constexpr std::size_t kShown = 64;
  const auto shown = bytes.first(std::min(bytes.size(), kShown));
  return Json{{"bytes", bytes.size()},
              {"hex", hex({reinterpret_cast<const std::uint8_t*>(shown.data()), shown.size()})}};
}

Json items_to_json(const StateValue& value) {
  Json items = Json::array();
  for (const StateValue& item : value.items()) items.push_back(state_to_json(item));
  return items;
}

Json dict_to_json(const StateValue& value) {
  const auto& keys = value.keys();
  const bool strings =
      std::all_of(keys.begin(), keys.end(), [](const StateKey& key) { return key.is_string(); });
  if (strings) {
    Json object = Json::object();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      object[keys[i].text()] = state_to_json(value.items()[i]);
    }
    return object;
  }
  Json pairs = Json::array();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Json key = keys[i].is_string() ? Json(keys[i].text()) : Json(keys[i].number());
    pairs.push_back(Json::array({std::move(key), state_to_json(value.items()[i])}));
  }
  return Json{{"dict", std::move(pairs)}};
}

}  // namespace

Json error_to_json(const Status& status) {
  const Location& at = status.location();
  Json error{{"code", code_name(status.code())},
             {"message", status.message()},
             {"region", region_name(at.region)},
             {"tensor", nullptr},
             {"chunk", nullptr},
             {"begin", nullptr},
             {"end", nullptr},
             {"os_error", nullptr}};
  if (!at.tensor.empty()) error["tensor"] = at.tensor;
  if (at.chunk != Location::kNoChunk) error["chunk"] = at.chunk;
  if (at.end > at.begin) {
    error["begin"] = at.begin;
    error["end"] = at.end;
  }
  if (status.os_error() != 0) error["os_error"] = status.os_error();
  return error;
}

Json number_to_json(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

Json state_to_json(const StateValue& value) {
  switch (value.kind()) {
    case StateKind::kNull:
      return nullptr;
    case StateKind::kBool:
      return value.as_bool();
    case StateKind::kInt64:
      return value.as_int64();
    case StateKind::kFloat64:
      return number_to_json(value.as_float64());
    case StateKind::kString:
      return value.text();
    case StateKind::kBytes:
      return bytes_to_json(value.as_bytes());
    case StateKind::kList:
      return items_to_json(value);
    case StateKind::kTuple:
      return Json{{"tuple", items_to_json(value)}};
    case StateKind::kDict:
      return dict_to_json(value);
    case StateKind::kTensor:
      return Json{{"tensor", value.text()}};
  }
  return nullptr;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_line(const Json& json) { return to_text(json) + "\n"; }

}  // namespace ingot::tools
