// What a conversion did.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::tools {

struct ConvertReport {
  std::uint64_t tensors = 0;
  std::uint64_t attachments = 0;
  std::uint64_t data_bytes = 0;         // of tensors and attachments, as written
  std::vector<std::string> files;       // written, the main one last
  std::uint64_t file_bytes = 0;         // of all of them
  std::vector<std::string> dropped;     // what the target format cannot hold, by --drop-extra
  std::vector<std::string> duplicated;  // tied tensors that became copies, by --duplicate-tied
  std::vector<std::string> removed;     // of an older export, beside what was replaced
  std::string io_path;                  // "O_DIRECT, io_uring", "buffered", ...
  std::string io_reason;
};

// Messages name this many.
inline constexpr std::size_t kNamesInMessages = 8;

// "a, b, c and 4 more".
std::string joined_names(const std::vector<std::string>& names);

}  // namespace ingot::tools
