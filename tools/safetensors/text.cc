#include "tools/safetensors/text.h"

#include <nlohmann/json.hpp>

namespace ingot::safetensors {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  const bool cut = text.size() > kLongest;
  std::string escaped = nlohmann::json(text.substr(0, kLongest))
                            .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (cut) escaped += "...";
  return escaped;
}

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace ingot::safetensors
