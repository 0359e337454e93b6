#include "tools/convert/attach.h"

#include <array>
#include <utility>

namespace ingot::tools {
namespace {

// The kinds of files that lie beside weights.
constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kTypes = {{
    {".json", "application/json"},
    {".jsonl", "application/jsonl"},
    {".yaml", "application/yaml"},
    {".yml", "application/yaml"},
    {".toml", "application/toml"},
    {".txt", "text/plain"},
    {".jinja", "text/plain"},
    {".md", "text/markdown"},
    {".csv", "text/csv"},
    {".html", "text/html"},
    {".py", "text/x-python"},
    {".zip", "application/zip"},
    {".pdf", "application/pdf"},
}};

bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
         text.find('/', slash + 1) == std::string_view::npos;
}

}  // namespace

std::string_view media_type_of(std::string_view name) {
  for (const auto& [extension, type] : kTypes) {
    if (name.ends_with(extension)) return type;
  }
  return "application/octet-stream";
}

AttachSpec parse_attach(std::string_view argument) {
  AttachSpec spec;
  spec.path = argument;
  const std::size_t colon = argument.rfind(':');
  if (colon != std::string_view::npos && is_media_type(argument.substr(colon + 1)) &&
      !io::posix().exists(argument)) {
    spec.path = argument.substr(0, colon);
    spec.media_type = argument.substr(colon + 1);
  }
  spec.name = io::name_of(spec.path);
  if (spec.media_type.empty()) spec.media_type = media_type_of(spec.name);
  return spec;
}

}  // namespace ingot::tools
