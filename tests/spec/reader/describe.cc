#include "tests/spec/reader/describe.h"

#include <array>
#include <bit>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

namespace ingot::testing {

namespace {

using Json = nlohmann::json;

template <typename Range>
std::string hex_of(const Range& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    const auto value = static_cast<unsigned>(byte);
    text += kDigits[value >> 4];
    text += kDigits[value & 15];
  }
  return text;
}

std::string hex_of_bits(std::uint64_t bits) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(bits >> (56 - 8 * i));
  return hex_of(bytes);
}

Json value_of(const StateView& node) {
  switch (node.kind()) {
    case StateKind::kNull:
      return nullptr;
    case StateKind::kBool:
      return node.as_bool();
    case StateKind::kInt64:
      return node.as_int64();
    case StateKind::kFloat64:
      return hex_of_bits(std::bit_cast<std::uint64_t>(node.as_float64()));
    case StateKind::kString:
      return std::string(node.as_string());
    case StateKind::kBytes:
      return hex_of(node.as_bytes());
    case StateKind::kTensor:
      return node.as_tensor();
    case StateKind::kList:
    case StateKind::kTuple:
    case StateKind::kDict:
      break;
  }
  return {};
}

// Depth is at most 64: recursion is fine here.
Json state_of(const StateView& node) {
  Json json;
  json["kind"] = state_kind_name(node.kind());
  if (const auto key = node.key()) {
    json["key"] = key->is_string() ? Json(key->text()) : Json(key->number());
  }
  const bool container = node.kind() == StateKind::kList || node.kind() == StateKind::kTuple ||
                         node.kind() == StateKind::kDict;
  if (!container) {
    json["value"] = value_of(node);
    return json;
  }
  json["children"] = Json::array();
  for (auto child = node.first_child(); child; child = child->next_sibling()) {
    json["children"].push_back(state_of(*child));
  }
  return json;
}

Json quantization_of(const std::optional<Quantization>& quantization) {
  if (!quantization) return nullptr;
  return {{"scheme", static_cast<int>(quantization->scheme)},
          {"scale", hex_of_bits(std::bit_cast<std::uint64_t>(quantization->scale))},
          {"zero_point", quantization->zero_point},
          {"axis", quantization->axis},
          {"scales", quantization->scales_storage},
          {"zero_points", quantization->zero_points_storage}};
}

Result<Json> tensor_of(const Checkpoint& checkpoint, const TensorInfo& tensor) {
  std::vector<std::byte> bytes(tensor.bytes);
  INGOT_RETURN_IF_ERROR(checkpoint.read(tensor, bytes));
  return Json{{"name", std::string(tensor.name)},
              {"dtype", std::string(dtype_name(tensor.dtype))},
              {"role", static_cast<int>(tensor.role)},
              {"requires_grad", tensor.requires_grad},
              {"shape", std::vector<std::int64_t>(tensor.shape.begin(), tensor.shape.end())},
              {"strides", std::vector<std::int64_t>(tensor.strides.begin(), tensor.strides.end())},
              {"storage", tensor.storage},
              {"byte_offset", tensor.byte_offset},
              {"bytes", tensor.bytes},
              {"quantization", quantization_of(tensor.quantization)},
              {"digest", to_string(digest_of(bytes))}};
}

Result<Json> attachment_of(const Checkpoint& checkpoint, const AttachmentInfo& attachment) {
  INGOT_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes,
                         checkpoint.read_attachment(attachment));
  return Json{{"name", std::string(attachment.name)},
              {"media_type", std::string(attachment.media_type)},
              {"storage", attachment.storage},
              {"bytes", attachment.bytes},
              {"digest", to_string(digest_of(bytes))}};
}

Json file_of(const FileInfo& file) {
  return {{"major", file.format_major},
          {"minor", file.format_minor},
          {"required_features", file.required_features},
          {"optional_features", file.optional_features},
          {"file_bytes", file.file_bytes},
          {"data_end", file.data_end},
          {"digests_bytes", file.digest_table_bytes},
          {"index_bytes", file.index_bytes},
          {"chunk_bytes", file.chunk_bytes},
          {"alignment", file.alignment},
          {"uuid", hex_of(file.uuid)},
          {"save_id", hex_of(file.save_id)},
          {"root", to_string(file.root)},
          {"root_sha256", file.root_sha256 ? Json(to_string(*file.root_sha256)) : Json(nullptr)}};
}

}  // namespace

Result<std::string> describe(const Checkpoint& checkpoint) {
  Json json = file_of(checkpoint.file());
  json["storages"] = Json::array();
  for (std::uint32_t i = 0; i < checkpoint.storage_count(); ++i) {
    const StorageInfo storage = checkpoint.storage(i);
    json["storages"].push_back({{"offset", storage.offset},
                                {"bytes", storage.bytes},
                                {"first_chunk", storage.first_chunk}});
  }
  json["chunks"] = Json::array();
  for (std::uint64_t i = 0; i < checkpoint.chunk_count(); ++i) {
    json["chunks"].push_back(to_string(checkpoint.chunk_digest(i)));
  }
  json["tensors"] = Json::array();
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    INGOT_ASSIGN_OR_RETURN(Json tensor, tensor_of(checkpoint, checkpoint.info(i)));
    json["tensors"].push_back(std::move(tensor));
  }
  json["attachments"] = Json::array();
  for (std::uint32_t i = 0; i < checkpoint.attachment_count(); ++i) {
    INGOT_ASSIGN_OR_RETURN(Json attachment, attachment_of(checkpoint, checkpoint.attachment(i)));
    json["attachments"].push_back(std::move(attachment));
  }
  const auto state = checkpoint.state();
  json["state"] = state ? state_of(*state) : Json(nullptr);
  return json.dump();
}

}  // namespace ingot::testing
