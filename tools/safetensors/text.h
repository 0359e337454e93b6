// Text that came from a file, for messages and for JSON.
#pragma once

#include <string>
#include <string_view>

namespace ingot::safetensors {

// In quotes, control characters escaped, not longer than a line.
std::string in_quotes(std::string_view text);

// A JSON string as the reference library writes it: UTF-8, only what must be is escaped.
std::string json_string(std::string_view text);

}  // namespace ingot::safetensors
