// Builds .safetensors files byte by byte, right and wrong ones.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ingot::testing {

// Length, header text, data: nothing is checked or padded.
inline std::string safetensors(std::string_view header, std::string_view data = {}) {
  const std::uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file.append(header).append(data);
}

}  // namespace ingot::testing
