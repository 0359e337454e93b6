#include "tools/safetensors/header.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "tools/safetensors/header_events.h"

namespace ingot::safetensors {
namespace {

// What the parser would not notice: it skips spaces, tabs and line ends around the object, and
// takes a zero byte for the end of the text.
Status check_text(std::string_view text, std::string_view path) {
  const auto error = [&](std::string_view what) {
    return make_error(Code::kCorrupt, what).file(path).at(Region::kHeader);
  };
  if (text.empty() || text.front() != '{') return error("header does not begin with '{'");
  const std::size_t last = text.find_last_not_of(' ');
  if (text[last] != '}') return error("something other than spaces follows the header's object");
  if (text.find('\0') != std::string_view::npos) return error("a zero byte in the header");
  return {};
}

// The element before which two equal ones stand, or null.
const std::string* find_duplicate(std::vector<const std::string*>& keys) {
  std::sort(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return *a < *b; });
  const auto found = std::adjacent_find(keys.begin(), keys.end(),
                                        [](const auto* a, const auto* b) { return *a == *b; });
  return found == keys.end() ? nullptr : *found;
}

Status check_unique(const Header& header, std::string_view path) {
  std::vector<const std::string*> keys;
  keys.reserve(header.tensors.size());
  for (const Tensor& tensor : header.tensors) keys.push_back(&tensor.name);
  if (const std::string* name = find_duplicate(keys)) {
    return make_error(Code::kRejected, "a tensor appears twice")
        .file(path)
        .at(Region::kHeader)
        .tensor(*name);
  }
  if (!header.metadata) return {};
  keys.clear();
  for (const auto& [key, value] : *header.metadata) keys.push_back(&key);
  if (const std::string* key = find_duplicate(keys)) {
    return make_error(Code::kRejected,
                      "key " + in_quotes(*key) + " appears twice in \"__metadata__\"")
        .file(path)
        .at(Region::kHeader);
  }
  return {};
}

Status check_size(const Tensor& tensor, std::string_view path) {
  const auto error = [&](std::string_view what) {
    return make_error(Code::kRejected, what).file(path).at(Region::kHeader).tensor(tensor.name);
  };
  std::uint64_t bits = static_cast<std::uint64_t>(dtype_bits(tensor.dtype));
  // In the order of the shape, as the reference does: a zero behind an overflow does not save it.
  std::uint64_t elements = 1;
  for (const std::int64_t extent : tensor.shape) {
    if (!checked_mul(elements, static_cast<std::uint64_t>(extent), &elements)) {
      return error("the number of elements overflows");
    }
  }
  if (!checked_mul(bits, elements, &bits)) return error("the size overflows");
  if (bits % 8 != 0) return error("elements do not fill whole bytes");
  if (tensor.bytes() != bits / 8) {
    return error("\"data_offsets\" do not match dtype and shape")
        .expected(bits / 8)
        .found(tensor.bytes());
  }
  return {};
}

Status check_layout(Header& header, std::string_view path) {
  // Stable: empty tensors at one place keep the header's order.
  std::stable_sort(header.tensors.begin(), header.tensors.end(),
                   [](const Tensor& a, const Tensor& b) {
                     return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
                   });
  std::uint64_t end = 0;
  for (const Tensor& tensor : header.tensors) {
    const auto error = [&](std::string_view what) {
      return make_error(Code::kRejected, what).file(path).at(Region::kHeader).tensor(tensor.name);
    };
    if (tensor.end < tensor.begin) return error("\"data_offsets\" end before they begin");
    if (tensor.begin != end) {
      return error(tensor.begin < end ? "data overlaps that of another tensor"
                                      : "a hole in the data before the tensor")
          .expected(end)
          .found(tensor.begin);
    }
    INGOT_RETURN_IF_ERROR(check_size(tensor, path));
    end = tensor.end;
  }
  return {};
}

}  // namespace

Result<std::uint64_t> parse_header_length(Bytes first, std::uint64_t file_bytes,
                                          std::string_view path) {
  if (first.size() < kLengthBytes || file_bytes < kLengthBytes) {
    return make_error(Code::kTruncated, "the file is too short for a .safetensors file")
        .file(path)
        .at(Region::kFile)
        .found(file_bytes);
  }
  const auto length = load_le<std::uint64_t>(first, 0);
  if (length > kMaxHeaderBytes) {
    return make_error(Code::kRejected, "header length is over the limit of .safetensors")
        .file(path)
        .at(Region::kHeader, 0, kLengthBytes)
        .expected("at most " + std::to_string(kMaxHeaderBytes))
        .found(length);
  }
  if (length > file_bytes - kLengthBytes) {
    return make_error(Code::kTruncated, "the file ends within its header")
        .file(path)
        .at(Region::kFile)
        .expected("at least " + std::to_string(kLengthBytes + length) + " bytes")
        .found(file_bytes);
  }
  return length;
}

Result<Header> parse_header_text(Bytes text, std::uint64_t file_bytes, std::string_view path) {
  INGOT_RETURN_IF_ERROR(check_text(as_text(text), path));
  HeaderEvents events(path);
  const std::string_view characters = as_text(text);
  if (!nlohmann::json::sax_parse(characters.begin(), characters.end(), &events)) {
    if (!events.status().ok()) return events.status();
    return make_error(Code::kCorrupt, "header is not valid JSON").file(path).at(Region::kHeader);
  }
  Header header = events.take_header();
  header.header_bytes = text.size();
  INGOT_RETURN_IF_ERROR(check_unique(header, path));
  INGOT_RETURN_IF_ERROR(check_layout(header, path));
  const std::uint64_t available = file_bytes - header.data_begin();
  if (header.data_bytes() != available) {
    return make_error(Code::kTruncated, "the file does not end where its last tensor does")
        .file(path)
        .at(Region::kFile)
        .expected(std::to_string(header.data_bytes()) + " bytes of data")
        .found(available);
  }
  return header;
}

Result<Header> parse_header(Bytes file, std::string_view path) {
  INGOT_ASSIGN_OR_RETURN(const std::uint64_t length, parse_header_length(file, file.size(), path));
  return parse_header_text(file.subspan(kLengthBytes, static_cast<std::size_t>(length)),
                           file.size(), path);
}

}  // namespace ingot::safetensors
