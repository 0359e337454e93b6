#include "tools/inspect/state_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/cli/json.h"
#include "tools/cli/text.h"
#include "tools/safetensors/text.h"

namespace ingot::tools {
namespace {

void print_value(const Checkpoint& checkpoint, const StateView& value, int depth, Output& out) {
  const std::string key = key_text(value);
  out.print("{:{}}{}{}{}\n", "", 2 * depth, key, key.empty() ? "" : ": ",
            value_text(checkpoint, value));
  for (auto child = value.first_child(); child; child = child->next_sibling()) {
    print_value(checkpoint, *child, depth + 1, out);  // as deep as the format allows: 64
  }
}

}  // namespace

std::string describe(const StateView& value) {
  const std::string_view kind = state_kind_name(value.kind());
  switch (value.kind()) {
    case StateKind::kList:
    case StateKind::kTuple:
      return fmt::format("{}, {}", kind, counted(value.size(), "item"));
    case StateKind::kDict:
      return fmt::format("{}, {} {}", kind, value.size(), value.size() == 1 ? "entry" : "entries");
    case StateKind::kNull:
    case StateKind::kBool:
    case StateKind::kInt64:
    case StateKind::kFloat64:
    case StateKind::kString:
    case StateKind::kBytes:
    case StateKind::kTensor:
      break;
  }
  return std::string(kind);
}

std::string value_text(const Checkpoint& checkpoint, const StateView& value) {
  switch (value.kind()) {
    case StateKind::kNull:
      return "null";
    case StateKind::kBool:
      return value.as_bool() ? "true" : "false";
    case StateKind::kInt64:
      return std::to_string(value.as_int64());
    case StateKind::kFloat64:
      return fmt::format("{}", value.as_float64());
    case StateKind::kString:
      return safetensors::in_quotes(value.as_string());
    case StateKind::kBytes: {
      constexpr std::size_t kShown = 16;
      const auto bytes = value.as_bytes();
      const auto shown = bytes.first(std::min(bytes.size(), kShown));
      return fmt::format("{} bytes {}{}", bytes.size(),
                         hex({reinterpret_cast<const std::uint8_t*>(shown.data()), shown.size()}),
                         bytes.size() > kShown ? "..." : "");
    }
    case StateKind::kTensor:
      return fmt::format("tensor {}", checkpoint.info(value.as_tensor()).name);
    case StateKind::kList:
    case StateKind::kTuple:
    case StateKind::kDict:
      break;
  }
  return describe(value);
}

std::string key_text(const StateView& value) {
  const std::optional<StateKey> key = value.key();
  if (!key) return {};
  return key->is_string() ? safetensors::in_quotes(key->text()) : std::to_string(key->number());
}

void print_state(const Checkpoint& checkpoint, const StateView& root, Output& out) {
  print_value(checkpoint, root, 0, out);
}

}  // namespace ingot::tools
