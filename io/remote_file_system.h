// File systems of other machines.
#pragma once

#include <string>
#include <string_view>

namespace ingot::io {

// "nfs", "cifs", ... when the file lies on a file system of another machine; empty when it is local
// or nobody knows.
std::string_view remote_file_system(const std::string& path);
std::string_view remote_file_system(int descriptor);

}  // namespace ingot::io
