// Open and validate, page cache warm. Ceiling: hash and FlatBuffers-verify the same index bytes.
#pragma once

#include <memory>
#include <string>

#include "bench/support/input.h"

namespace ingot::bench {

void register_open_ingot(const std::string& shape, const std::shared_ptr<Input>& input);
void register_open_ceiling(const std::string& shape, const std::shared_ptr<Input>& input);

}  // namespace ingot::bench
