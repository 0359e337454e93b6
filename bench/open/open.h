// Open and validate, page cache warm. Ceiling: hash and FlatBuffers-verify the same index bytes.
#pragma once

#include <string>

namespace ingot::bench {

void register_open_ingot(const std::string& shape, const std::string& path);
void register_open_ceiling(const std::string& shape, const std::string& path);

}  // namespace ingot::bench
