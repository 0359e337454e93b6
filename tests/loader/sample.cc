#include "tests/loader/sample.h"

#include <cstring>
#include <fstream>

namespace ingot::testing {

Blob noise(std::uint64_t bytes, std::uint64_t seed) {
  Blob blob(bytes);
  // SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
  std::uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (std::size_t i = 0; i < blob.size(); i += 8) {
    std::uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    std::memcpy(&blob[i], &z, std::min<std::size_t>(8, blob.size() - i));
  }
  return blob;
}

Blob storage_content(const WritePlan& plan, StorageId storage) {
  const auto number = static_cast<std::size_t>(storage);
  return noise(plan.storage_bytes()[number], number);
}

Blob tensor_content(const WritePlan& plan, const TensorInfo& tensor) {
  for (const TensorSpec& spec : plan.tensors()) {
    if (spec.name != tensor.name) continue;
    const Blob all = storage_content(plan, *spec.storage);
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(spec.byte_offset);
    return {begin, begin + static_cast<std::ptrdiff_t>(tensor.bytes)};
  }
  return {};
}

WriterOptions quick_options() {
  WriterOptions options;
  options.durability = Durability::kNone;
  options.direct = DirectIo::kOff;
  options.chunk_bytes = 65536;
  return options;
}

Status write_sample(const std::string& path, const WritePlan& plan, const WriterOptions& options) {
  INGOT_ASSIGN_OR_RETURN(Writer writer, Writer::create(path, plan, options));
  for (std::uint32_t i = 0; i < plan.storage_bytes().size(); ++i) {
    const Blob content = storage_content(plan, StorageId{i});
    INGOT_RETURN_IF_ERROR(writer.write(StorageId{i}, content));
  }
  return writer.commit();
}

WritePlan mixed_plan() {
  WritePlan plan;
  const TensorId embed =
      plan.add({.name = "embed.weight", .shape = {100, 501}, .requires_grad = true});
  plan.add({.name = "norm.mean", .shape = {33}, .role = Role::kBuffer});
  plan.add({.name = "adam/exp_avg", .shape = {100, 501}, .role = Role::kOptimizerState});
  plan.add({.name = "steps", .dtype = DType::kInt64, .shape = {}, .role = Role::kOther});
  plan.add({.name = "none", .shape = {0, 7}});
  plan.add({.name = "head.weight",
            .shape = {100, 501},
            .requires_grad = true,
            .storage = plan.storage_of(embed)});
  plan.add({.name = "head.tail",
            .dtype = DType::kBFloat16,
            .shape = {1000},
            .byte_offset = 150000,
            .storage = plan.storage_of(embed)});
  plan.add({.name = "conv.weight",
            .dtype = DType::kFloat16,
            .shape = {30, 40, 50},
            .strides = {1, 30, 1200}});
  plan.add({.name = "packed", .dtype = DType::kInt4, .shape = {64, 128}});
  const StorageId scales = plan.add_storage(16 * 8);
  const StorageId zeros = plan.add_storage(16 * 8);
  plan.add({.name = "quantised",
            .dtype = DType::kQInt8,
            .shape = {16, 1000},
            .quantization = QuantizationSpec{.scheme = QuantizationScheme::kPerChannelAffine,
                                             .scales = scales,
                                             .zero_points = zeros}});
  plan.attach("config.json", "application/json", 1234);
  plan.attach("tokenizer", "application/octet-stream", 200000);
  StateValue root = StateValue::dict();
  root.set("epoch", StateValue::integer(7));
  root.set("best", StateValue::tensor("embed.weight"));
  plan.set_state(std::move(root));
  return plan;
}

Blob read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  Blob content(static_cast<std::size_t>(file.tellg()));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(content.size()));
  return content;
}

void write_file(const std::string& path, std::span<const std::byte> content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
}

void flip_bit(const std::string& path, std::uint64_t offset, int bit) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(offset));
  const int byte = file.get() ^ (1 << bit);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte));
}

std::uint64_t offset_of(const Checkpoint& checkpoint, const TensorInfo& tensor) {
  return checkpoint.storage(tensor.storage).offset + tensor.byte_offset;
}

}  // namespace ingot::testing
