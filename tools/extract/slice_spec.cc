#include "tools/extract/slice_spec.h"

#include <charconv>
#include <optional>
#include <string>

namespace ingot::tools {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Status bad_slice(std::string_view part, std::string_view why) {
  return {Code::kInvalidArgument, "--slice: \"" + std::string(part) + "\": " + std::string(why)};
}

struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool is_index = false;
};

// One bound; `fallback` when it is left out.
std::optional<std::int64_t> parse_bound(std::string_view text, std::int64_t extent,
                                        std::int64_t fallback) {
  text = trimmed(text);
  if (text.empty()) return fallback;
  const std::optional<std::int64_t> number = parse_number(text);
  if (!number) return std::nullopt;
  return *number < 0 ? *number + extent : *number;
}

Result<Range> parse_range(std::string_view part, std::int64_t extent) {
  part = trimmed(part);
  const std::size_t colon = part.find(':');
  if (colon == std::string_view::npos) {
    const std::optional<std::int64_t> index = parse_bound(part, extent, -1);
    if (!index || part.empty()) return bad_slice(part, "not an index or begin:end");
    if (*index < 0 || *index >= extent) {
      return bad_slice(part, "outside of the dimension of " + std::to_string(extent));
    }
    return Range{*index, *index + 1, true};
  }
  if (part.find(':', colon + 1) != std::string_view::npos) {
    return bad_slice(part, "steps are not supported");
  }
  const std::optional<std::int64_t> begin = parse_bound(part.substr(0, colon), extent, 0);
  const std::optional<std::int64_t> end = parse_bound(part.substr(colon + 1), extent, extent);
  if (!begin || !end) return bad_slice(part, "not an index or begin:end");
  if (*begin < 0 || *end > extent || *begin > *end) {
    return bad_slice(part, "outside of the dimension of " + std::to_string(extent));
  }
  return Range{*begin, *end, false};
}

}  // namespace

SliceSpec whole(std::span<const std::int64_t> shape) {
  SliceSpec spec;
  spec.slice.begin.assign(shape.size(), 0);
  spec.slice.end.assign(shape.begin(), shape.end());
  spec.shape.assign(shape.begin(), shape.end());
  return spec;
}

Result<SliceSpec> parse_slice(std::string_view text, std::span<const std::int64_t> shape) {
  SliceSpec spec = whole(shape);
  spec.shape.clear();
  std::size_t dimension = 0;
  for (std::string_view rest = text;; ++dimension) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    if (dimension == shape.size()) {
      return bad_slice(text, "the tensor has " + std::to_string(shape.size()) + " dimensions");
    }
    INGOT_ASSIGN_OR_RETURN(const Range range, parse_range(part, shape[dimension]));
    spec.slice.begin[dimension] = range.begin;
    spec.slice.end[dimension] = range.end;
    if (!range.is_index) spec.shape.push_back(range.end - range.begin);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  for (++dimension; dimension < shape.size(); ++dimension) spec.shape.push_back(shape[dimension]);
  return spec;
}

}  // namespace ingot::tools
