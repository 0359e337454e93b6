// Names that share one XXH3-64, as an attacker makes them.
//
// In a stripe of a long input, XXH3 multiplies the two halves of (8 bytes of input ^ 8 bytes of
// secret) and adds the 8 bytes of input to a neighbouring sum. Where the input's upper half equals
// the secret's, the product is 0 whatever the lower half is, and only the sum remembers it. So two
// such places in the same lane, one raised by what the other is lowered, leave the hash alone.
#pragma once

#include <cstddef>
#include <string>

namespace ingot::testing {

inline constexpr int kCollidingNames = 20;

// Printable UTF-8 of 600 bytes. REQUIRES: 0 <= number < kCollidingNames.
inline std::string colliding_name(int number) {
  std::string name(600, '.');
  // Lane 7 of stripe 0 meets the secret's bytes [56, 64), whose upper half is 81 3A 26 4C; lane 7
  // of stripe 7 meets [112, 120), upper half CD B4 59 31. C3 makes a character of the 81.
  const char up = static_cast<char>('a' + number);
  const char down = static_cast<char>('z' - number);
  name.replace(56, 8, {up, 'x', 'x', '\xC3', '\x81', '\x3A', '\x26', '\x4C'});
  name.replace(7 * 64 + 56, 8, {down, 'x', 'x', 'x', '\xCD', '\xB4', '\x59', '\x31'});
  return name;
}

}  // namespace ingot::testing
