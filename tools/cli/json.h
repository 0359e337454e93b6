// JSON output. docs/cli.md documents the shape of each command's; keys keep their order.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "ingot/digest.h"
#include "ingot/state.h"
#include "ingot/status.h"

namespace ingot::tools {

using Json = nlohmann::ordered_json;

// {"code", "message", "region", "tensor", "chunk", "begin", "end", "os_error"}: null what is
// unknown.
Json error_to_json(const Status& status);

// JSON has no NaN and no infinities: they become "nan", "inf", "-inf".
Json number_to_json(double value);

// Lossless where JSON can be: bytes become {"bytes": N, "hex": first 64}, tuples {"tuple": [...]},
// tensors {"tensor": name}, dicts with integer keys {"dict": [[key, value], ...]}.
Json state_to_json(const StateValue& value);

std::string hex(std::span<const std::uint8_t> bytes);

// One line with its end. Bytes that are no UTF-8 (in a path) become U+FFFD.
std::string to_line(const Json& json);
// The same without the end.
std::string to_text(const Json& json);

}  // namespace ingot::tools
