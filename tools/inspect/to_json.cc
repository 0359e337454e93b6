#include "tools/inspect/to_json.h"

#include "tools/read/packed_reader.h"

namespace ingot::tools {
namespace {

std::string_view scheme_name(QuantizationScheme scheme) {
  switch (scheme) {
    case QuantizationScheme::kPerTensorAffine:
      return "per_tensor_affine";
    case QuantizationScheme::kPerChannelAffine:
      return "per_channel_affine";
    case QuantizationScheme::kPerChannelAffineFloatQParams:
      return "per_channel_affine_float_qparams";
  }
  return "";
}

Json quantization_to_json(const Quantization& quantization) {
  Json json{{"scheme", scheme_name(quantization.scheme)}};
  if (quantization.scheme == QuantizationScheme::kPerTensorAffine) {
    json["scale"] = number_to_json(quantization.scale);
    json["zero_point"] = quantization.zero_point;
  } else {
    json["axis"] = quantization.axis;
  }
  return json;
}

template <typename Key, typename Name>
Json shares_to_json(const std::map<Key, Share>& shares, std::string_view what, Name name) {
  Json array = Json::array();
  for (const auto& [key, share] : shares) {
    Json entry;
    entry[std::string(what)] = name(key);
    entry["tensors"] = share.tensors;
    entry["bytes"] = share.bytes;
    array.push_back(std::move(entry));
  }
  return array;
}

Json state_summary(const Checkpoint& checkpoint) {
  const std::optional<StateView> state = checkpoint.state();
  if (!state) return nullptr;
  Json entries = Json::array();
  for (auto child = state->first_child(); child; child = child->next_sibling()) {
    Json key = nullptr;
    if (const std::optional<StateKey> k = child->key()) {
      key = k->is_string() ? Json(k->text()) : Json(k->number());
    }
    entries.push_back(
        Json{{"key", key}, {"kind", state_kind_name(child->kind())}, {"size", child->size()}});
  }
  return Json{{"kind", state_kind_name(state->kind())}, {"entries", std::move(entries)}};
}

Json tied_to_json(const Checkpoint& checkpoint, const Survey& survey) {
  Json groups = Json::array();
  for (const std::vector<std::uint32_t>& group : survey.tied) {
    Json names = Json::array();
    for (const std::uint32_t ordinal : group) names.push_back(checkpoint.info(ordinal).name);
    groups.push_back(std::move(names));
  }
  return groups;
}

}  // namespace

Json tensor_to_json(const Checkpoint& checkpoint, const TensorInfo& tensor, bool tied) {
  Json json{{"name", tensor.name},
            {"dtype", dtype_name(tensor.dtype)},
            {"shape", std::vector<std::int64_t>(tensor.shape.begin(), tensor.shape.end())},
            {"role", role_name(tensor.role)},
            {"requires_grad", tensor.requires_grad},
            {"bytes", packed_bytes(tensor)},
            {"offset", checkpoint.storage(tensor.storage).offset + tensor.byte_offset},
            {"storage", tensor.storage},
            {"byte_offset", tensor.byte_offset},
            {"strides", nullptr},
            {"tied", tied},
            {"quantization", nullptr}};
  if (!tensor.is_contiguous()) {
    json["strides"] = std::vector<std::int64_t>(tensor.strides.begin(), tensor.strides.end());
  }
  if (tensor.quantization) json["quantization"] = quantization_to_json(*tensor.quantization);
  return json;
}

Json attachment_to_json(const Checkpoint& checkpoint, const AttachmentInfo& attachment) {
  return Json{{"name", attachment.name},
              {"media_type", attachment.media_type},
              {"bytes", attachment.bytes},
              {"offset", checkpoint.storage(attachment.storage).offset},
              {"digest", to_string(checkpoint.storage_digest(attachment.storage))}};
}

Json summary_to_json(const Checkpoint& checkpoint, const Survey& survey) {
  const FileInfo& file = checkpoint.file();
  Json json{{"path", file.path},
            {"format", std::to_string(file.format_major) + "." + std::to_string(file.format_minor)},
            {"required_features", file.required_features},
            {"optional_features", file.optional_features},
            {"features", feature_names(file)},
            {"uuid", hex(file.uuid)},
            {"save_id", hex(file.save_id)},
            {"root", to_string(file.root)},
            {"root_sha256", nullptr},
            {"file_bytes", file.file_bytes},
            {"padding_bytes", survey.padding_bytes},
            {"index_bytes", file.index_bytes},
            {"digest_table_bytes", file.digest_table_bytes},
            {"chunk_bytes", file.chunk_bytes},
            {"chunks", checkpoint.chunk_count()},
            {"alignment", file.alignment},
            {"tensors", survey.tensors},
            {"elements", survey.elements},
            {"tensor_bytes", survey.tensor_bytes},
            {"attachment_bytes", survey.attachment_bytes}};
  if (file.root_sha256) json["root_sha256"] = to_string(*file.root_sha256);
  json["by_role"] = shares_to_json(survey.by_role, "role", role_name);
  json["by_dtype"] = shares_to_json(survey.by_dtype, "dtype", dtype_name);
  json["tied"] = tied_to_json(checkpoint, survey);
  json["attachments"] = Json::array();
  for (std::uint32_t i = 0; i < checkpoint.attachment_count(); ++i) {
    json["attachments"].push_back(attachment_to_json(checkpoint, checkpoint.attachment(i)));
  }
  json["state"] = state_summary(checkpoint);
  return json;
}

}  // namespace ingot::tools
