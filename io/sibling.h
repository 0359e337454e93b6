// Names of temporary siblings: ".NAME.tmp.HEX" in the folder of NAME. Private to AtomicFile.
#pragma once

#include <string>
#include <string_view>

namespace ingot::io {

// A fresh random sibling name of `path`.
std::string random_sibling(std::string_view path);

// Whether `name`, without its folder, is a sibling of `path`.
bool is_sibling(std::string_view path, std::string_view name);

}  // namespace ingot::io
