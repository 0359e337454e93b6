// The two header pages of a file: reading them, and telling what is wrong with them.
#pragma once

#include <cstdint>
#include <string_view>

#include "ingot/status.h"

#include "format/header.h"
#include "io/file.h"

namespace ingot::loader {

struct HeaderPages {
  std::uint64_t file_bytes = 0;  // the file's real length
  format::HeaderPage first{};    // its first page
  format::HeaderPage second{};   // its last page, wherever the header thinks that is

  std::uint64_t second_offset() const { return file_bytes - format::kPageBytes; }
};

// kInvalidArgument when it is no regular file, kTruncated when it is too short for two pages,
// kCorrupt when it is short and not even the beginning of an Ingot file.
Result<HeaderPages> read_header_pages(io::File& file, const io::FileStat& stat);

// The header of a file whose two pages are intact and equal and whose length is what they say.
// Otherwise the kind of damage: kCorrupt says whether the second copy could repair the first,
// kUnsupported is only said of versions that an intact page or both pages claim.
Result<format::Header> check_header_pages(const HeaderPages& pages, std::string_view path);

// kTruncated when the file's length is not what `header` says.
Status check_length(const HeaderPages& pages, const format::Header& header, std::string_view path);

}  // namespace ingot::loader
