// Text as a terminal may show it: names and paths are untrusted, and a terminal obeys what it gets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ingot {

enum class Ascii : std::uint8_t {
  kEscapeControls,
  kKeep,  // for text with colours and line ends of the program's own
};

// Replaces by \x1b or \u202e what could steer a terminal or show something else than is there:
// control characters (U+0000 to U+001F, U+007F to U+009F), those that change the direction of text
// (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), line and paragraph separators
// (U+2028, U+2029), and bytes that are no UTF-8. Inside of a JSON string the result, with
// Ascii::kKeep, means the same.
std::string printable(std::string_view text, Ascii ascii = Ascii::kEscapeControls);

}  // namespace ingot
