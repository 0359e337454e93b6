#include "tools/safetensors/encode.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "tools/safetensors/text.h"
#include "tools/safetensors/types.h"

namespace ingot::safetensors {
namespace {

constexpr std::uint64_t kHeaderAlignment = 8;

bool all_aligned(const std::vector<Tensor>& tensors) {
  std::uint64_t offset = 0;
  for (const Tensor& tensor : tensors) {
    const auto bits = static_cast<std::uint64_t>(dtype_bits(tensor.dtype));
    // Complex numbers are aligned as their halves are, but the reference ranks them by size.
    if (bits > 8 && offset % (bits / 8) != 0) return false;
    offset += tensor.bytes();
  }
  return true;
}

void append_metadata(const Metadata& metadata, std::string& text) {
  text += json_string(kMetadataKey) + ":{";
  bool first = true;
  for (const auto& [key, value] : metadata) {
    if (!first) text += ',';
    first = false;
    text += json_string(key) + ":" + json_string(value);
  }
  text += '}';
}

void append_tensor(const Tensor& tensor, std::string& text) {
  text += json_string(tensor.name) + ":{\"dtype\":\"";
  text += type_name(tensor.dtype);
  text += "\",\"shape\":[";
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (i > 0) text += ',';
    text += std::to_string(tensor.shape[i]);
  }
  text += "],\"data_offsets\":[" + std::to_string(tensor.begin) + "," + std::to_string(tensor.end) +
          "]}";
}

}  // namespace

void place(std::vector<Tensor>& tensors) {
  std::uint64_t offset = 0;
  for (Tensor& tensor : tensors) {
    tensor.end = offset + tensor.bytes();
    tensor.begin = offset;
    offset = tensor.end;
  }
}

void order_for_alignment(std::vector<Tensor>& tensors) {
  if (all_aligned(tensors)) return;
  std::sort(tensors.begin(), tensors.end(), [](const Tensor& a, const Tensor& b) {
    const int rank_a = type_rank(a.dtype);
    const int rank_b = type_rank(b.dtype);
    return rank_a != rank_b ? rank_a > rank_b : a.name < b.name;
  });
}

Result<std::string> encode_header(std::span<const Tensor> tensors,
                                  const std::optional<Metadata>& metadata, std::string_view path) {
  std::string text = "{";
  if (metadata) append_metadata(*metadata, text);
  for (const Tensor& tensor : tensors) {
    if (text.size() > 1) text += ',';
    append_tensor(tensor, text);
  }
  text += '}';
  text.append(align_up(text.size(), kHeaderAlignment) - text.size(), ' ');
  if (text.size() > kMaxHeaderBytes) {
    return make_error(Code::kUnsupported, "the header would be too large for .safetensors readers")
        .file(path)
        .expected("at most " + std::to_string(kMaxHeaderBytes) + " bytes")
        .found(text.size())
        .advice("write shards: --shard-size");
  }
  std::string length(kLengthBytes, '\0');
  store_le(std::as_writable_bytes(std::span(length)), 0, std::uint64_t{text.size()});
  return length + text;
}

}  // namespace ingot::safetensors
