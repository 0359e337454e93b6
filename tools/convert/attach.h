// --attach: files that go into an Ingot file as they are.
#pragma once

#include <string>
#include <string_view>

#include "ingot/status.h"

#include "tools/safetensors/open_file.h"

namespace ingot::tools {

struct AttachSpec {
  std::string path;
  std::string media_type;
  std::string name;  // under which it is attached: the path's last component
};

// "config.json" or "config.json:application/json". A path that exists is taken as it is, colons
// and all; without a type, the extension decides (media_type_of()).
AttachSpec parse_attach(std::string_view argument);

// "application/octet-stream" when the extension says nothing.
std::string_view media_type_of(std::string_view name);

}  // namespace ingot::tools
