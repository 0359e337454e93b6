// The header of a .safetensors file: parsed or refused, never a crash. What is accepted obeys the
// rules by itself, and survives being written and read again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "format/extent.h"
#include "tools/safetensors/encode.h"
#include "tools/safetensors/header.h"

namespace {

namespace st = ingot::safetensors;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const st::Header& header, std::size_t file_bytes) {
  require(header.data_begin() + header.data_bytes() == file_bytes);
  std::uint64_t end = 0;
  std::vector<std::string_view> names;
  for (const st::Tensor& tensor : header.tensors) {
    const auto extent = ingot::format::tensor_extent(tensor.dtype, tensor.shape, {});
    require(extent && extent->bytes == tensor.bytes());
    require(tensor.begin == end);
    end = tensor.end;
    require(ingot::is_printable_utf8(tensor.name) && !tensor.name.empty());
    names.push_back(tensor.name);
  }
  std::sort(names.begin(), names.end());
  require(std::adjacent_find(names.begin(), names.end()) == names.end());
}

// Written again, the header says the same.
void check_again(const st::Header& header) {
  const auto text = st::encode_header(header.tensors, header.metadata, "fuzz");
  if (!text.ok()) return;  // escapes may make it longer than readers accept
  const auto length =
      st::parse_header_length(ingot::as_bytes(*text), text->size() + header.data_bytes(), "fuzz");
  require(length.ok());
  const auto again = st::parse_header_text(ingot::as_bytes(*text).subspan(st::kLengthBytes),
                                           text->size() + header.data_bytes(), "fuzz");
  require(again.ok() && again->tensors.size() == header.tensors.size());
  for (std::size_t i = 0; i < again->tensors.size(); ++i) {
    const st::Tensor& a = again->tensors[i];
    const st::Tensor& b = header.tensors[i];
    require(a.dtype == b.dtype && a.shape == b.shape && a.begin == b.begin && a.end == b.end);
  }
  require(again->metadata == header.metadata);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto header = st::parse_header(std::as_bytes(std::span(data, size)), "fuzz");
  if (!header.ok()) return 0;
  check(*header, size);
  check_again(*header);
  return 0;
}

#ifdef INGOT_FUZZ
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

// The length before the text is made right, three times out of four, for a text that ends with the
// last '}' of the input.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned int seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 4 == 0 || size <= st::kLengthBytes) return size;
  std::size_t end = size;
  while (end > st::kLengthBytes && data[end - 1] != '}') --end;
  if (end == st::kLengthBytes) end = size;
  ingot::store_le<std::uint64_t>(std::as_writable_bytes(std::span(data, size)), 0,
                                 end - st::kLengthBytes);
  return size;
}
#endif
