// The header of a .safetensors file: parsed and checked once, completely.
//
// The rules are those of the safetensors document and its reference reader, applied to the letter
// where the reader is lax, so that no two readers can disagree about a file that passes:
//   * 8 bytes of length, then that many bytes (at most 100,000,000) of JSON text in UTF-8, which
//     begins with '{' and may end in spaces;
//   * no key appears twice; a tensor has exactly "dtype", "shape" and "data_offsets";
//     "__metadata__" holds strings only; numbers are integers from 0;
//   * shape times dtype is the length of the data, in whole bytes; data begins at 0, has neither
//     holes nor overlaps and ends exactly where the file ends.
// Names and shapes must also fit Ingot's limits: names of 1 to 1024 bytes without control
// characters, rank <= 64.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingot/dtype.h"
#include "ingot/status.h"

#include "base/bytes.h"

namespace ingot::safetensors {

inline constexpr std::uint64_t kLengthBytes = 8;
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
inline constexpr std::string_view kMetadataKey = "__metadata__";

struct Tensor {
  std::string name;
  DType dtype = DType::kUInt8;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // within the data, which follows the header
  std::uint64_t end = 0;

  std::uint64_t bytes() const { return end - begin; }
};

// In the order of the file.
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct Header {
  std::uint64_t header_bytes = 0;    // of the JSON text, with its trailing spaces
  std::vector<Tensor> tensors;       // in the order of their data
  std::optional<Metadata> metadata;  // absent when the header has no "__metadata__"

  std::uint64_t data_begin() const { return kLengthBytes + header_bytes; }
  std::uint64_t data_bytes() const { return tensors.empty() ? 0 : tensors.back().end; }
};

// Length of the header, from the first 8 bytes of a file of `file_bytes`. kTruncated when the file
// cannot hold it; kRejected above the limit. `path` is for messages, here and below.
Result<std::uint64_t> parse_header_length(Bytes first, std::uint64_t file_bytes,
                                          std::string_view path);

// The header's text. kCorrupt when it is not JSON; kRejected when it breaks a rule; kUnsupported
// for an unknown dtype or for what Ingot cannot hold; kTruncated when the file does not end where
// the data does. Memory is bounded by a small multiple of the text.
Result<Header> parse_header_text(Bytes text, std::uint64_t file_bytes, std::string_view path);

// Both, of a whole file in memory.
Result<Header> parse_header(Bytes file, std::string_view path = {});

}  // namespace ingot::safetensors
