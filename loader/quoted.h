// Text of a file within an error message.
#pragma once

#include <string>
#include <string_view>

namespace ingot::loader {

// In quotes, control characters escaped, cut when it is long: a message stays one line.
// REQUIRES: valid UTF-8.
std::string quoted(std::string_view text);

}  // namespace ingot::loader
