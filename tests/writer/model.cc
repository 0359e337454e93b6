#include "model.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "format/digest.h"
#include "format/header.h"
#include "format/index_view.h"
#include "format/validate.h"

namespace ingot::testing {
namespace {

Status wrong(std::string_view what) { return make_error(Code::kCorrupt, what); }

// The file's regions in order, each byte visited once.
class FileCheck {
 public:
  FileCheck(Bytes file, const Model& model) : file_(file), model_(model) {}

  Status run() {
    if (file_.size() < 2 * format::kPageBytes) return wrong("no file");
    INGOT_ASSIGN_OR_RETURN(
        header_, format::decode_header(file_.first(format::kPageBytes), "test", Region::kHeader));
    if (file_.size() != header_.file_bytes) return wrong("length");
    if (difference(file_.first(format::kPageBytes), file_.last(format::kPageBytes)) != "") {
      return wrong("second header");
    }
    position_ = format::kPageBytes;
    INGOT_RETURN_IF_ERROR(check_index());
    INGOT_RETURN_IF_ERROR(check_data());
    INGOT_RETURN_IF_ERROR(region(header_.digests_offset, header_.digests_bytes));
    INGOT_RETURN_IF_ERROR(region(header_.index_offset, header_.index_bytes));
    return region(header_.second_header_offset(), format::kPageBytes);
  }

 private:
  // What lies before a region is padding.
  Status region(std::uint64_t offset, std::uint64_t bytes) {
    if (offset < position_) return wrong("regions overlap");
    const Bytes padding = file_.subspan(position_, offset - position_);
    if (first_nonzero(padding) != padding.size()) return wrong("padding is not zero");
    position_ = offset + bytes;
    return {};
  }

  Status check_index() {
    const Bytes index = file_.subspan(header_.index_offset, header_.index_bytes);
    aligned_.assign(index.begin(), index.end());
    if (format::xxh3_128(index) != header_.index_digest) return wrong("index digest");
    INGOT_RETURN_IF_ERROR(format::validate_index(aligned_, header_, {}, "test"));
    return format::check_canonical(aligned_, "test");
  }

  Status check_data() {
    const Bytes table = file_.subspan(header_.digests_offset, header_.digests_bytes);
    if (format::xxh3_128(table) != header_.digests_digest) return wrong("digest table's digest");
    const format::IndexView index(aligned_);
    for (std::uint32_t i = 0; i < index.storage_count(); ++i) {
      const StorageInfo storage = index.storage(i, header_.chunk_bytes());
      if (storage.bytes != 0) INGOT_RETURN_IF_ERROR(region(storage.offset, storage.bytes));
      INGOT_RETURN_IF_ERROR(check_storage(storage, table));
    }
    return check_owners(index);
  }

  Status check_storage(const StorageInfo& storage, Bytes table) const {
    for (std::uint64_t chunk = 0; chunk < storage.chunks; ++chunk) {
      const std::uint64_t begin = chunk * header_.chunk_bytes();
      const Bytes bytes = file_.subspan(storage.offset + begin,
                                        std::min(header_.chunk_bytes(), storage.bytes - begin));
      const std::uint64_t number = storage.first_chunk + chunk;
      Digest128 stored;
      std::memcpy(&stored, table.data() + 16 * number, 16);
      if (stored != format::xxh3_128(bytes)) return wrong("chunk digest");
      if (!header_.has_sha256()) continue;
      Sha256 sha{};
      std::memcpy(sha.data(), table.data() + 16 * header_.chunk_count() + 32 * number, 32);
      if (sha != format::sha256(bytes)) return wrong("chunk SHA-256");
    }
    return {};
  }

  // The bytes of every tensor and attachment are the model's.
  Status check_owners(const format::IndexView& index) const {
    for (std::uint32_t i = 0; i < index.tensor_count(); ++i) {
      const TensorInfo tensor = index.tensor(i);
      const TensorSpec& spec = model_.plan.tensors()[i];
      if (tensor.name != spec.name) return wrong("tensor's name");
      INGOT_RETURN_IF_ERROR(check_content(index, tensor.storage, *spec.storage));
    }
    for (std::uint32_t i = 0; i < index.attachment_count(); ++i) {
      const AttachmentInfo info = index.attachment(i);
      for (const WritePlan::Attachment& attachment : model_.plan.attachments()) {
        if (attachment.name != info.name) continue;
        INGOT_RETURN_IF_ERROR(check_content(index, info.storage, attachment.storage));
      }
    }
    return {};
  }

  Status check_content(const format::IndexView& index, std::uint32_t number, StorageId id) const {
    const StorageInfo storage = index.storage(number, header_.chunk_bytes());
    const Bytes stored = file_.subspan(storage.offset, storage.bytes);
    const std::string differs = difference(stored, model_.content[static_cast<std::size_t>(id)]);
    return differs.empty() ? Status() : wrong("storage " + std::to_string(number) + ": " + differs);
  }

  Bytes file_;
  const Model& model_;
  format::Header header_;
  std::uint64_t position_ = 0;
  Content aligned_;
};

template <typename Target>
Status write_all_to(Target& target, const Model& model) {
  for (std::uint32_t i = 0; i < model.content.size(); ++i) {
    INGOT_RETURN_IF_ERROR(target.write(StorageId{i}, model.content[i]));
  }
  return {};
}

StateValue some_state() {
  StateValue state = StateValue::dict();
  state.set("epoch", StateValue::integer(3));
  state.set("loss", StateValue::real(0.25));
  state.set("weight", StateValue::tensor("embed.weight"));
  return state;
}

}  // namespace

Content pattern(std::uint64_t seed, std::size_t bytes) {
  Content content(bytes);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (std::byte& byte : content) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<std::byte>(state >> 56);
  }
  return content;
}

void Model::fill(std::uint64_t seed) {
  const std::vector<std::uint64_t>& sizes = plan.storage_bytes();
  for (std::size_t i = content.size(); i < sizes.size(); ++i) {
    content.push_back(pattern(seed * 1000 + i, sizes[i]));
  }
}

Model mixed_model() {
  Model model;
  WritePlan& plan = model.plan;
  const TensorId embed =
      plan.add({.name = "embed.weight", .shape = {1000, 512}, .requires_grad = true});
  plan.add({.name = "moment", .shape = {300, 512}, .role = Role::kOptimizerState});
  plan.add({.name = "bias", .dtype = DType::kBFloat16, .shape = {1023}});
  plan.add({.name = "empty", .shape = {0, 7}});
  plan.add({.name = "step", .dtype = DType::kInt64, .role = Role::kOptimizerState});
  plan.add({.name = "head.weight", .shape = {1000, 512}, .storage = plan.storage_of(embed)});
  plan.add({.name = "mask", .dtype = DType::kBool, .shape = {777}, .role = Role::kBuffer});
  const StorageId shared = plan.add_storage(400'000);
  plan.add({.name = "view",
            .shape = {100, 10},
            .strides = {1, 100},
            .byte_offset = 4096,
            .storage = shared});
  const StorageId scales = plan.add_storage(40 * sizeof(double));
  const StorageId zero_points = plan.add_storage(40 * sizeof(std::int64_t));
  plan.add({.name = "quantized",
            .dtype = DType::kQInt8,
            .shape = {40, 2000},
            .quantization = QuantizationSpec{.scheme = QuantizationScheme::kPerChannelAffine,
                                             .axis = 0,
                                             .scales = scales,
                                             .zero_points = zero_points}});
  plan.attach("tokenizer.json", "application/json", 5000);
  plan.attach("config.json", "application/json", 0);
  plan.attach("blob", "application/octet-stream", 70'000);
  plan.set_state(some_state());
  model.fill();
  return model;
}

Model uniform_model(std::size_t count, std::size_t bytes) {
  Model model;
  for (std::size_t i = 0; i < count; ++i) {
    model.plan.add({.name = "tensor." + std::to_string(i),
                    .dtype = DType::kUInt8,
                    .shape = {static_cast<std::int64_t>(bytes)}});
  }
  model.fill();
  return model;
}

Model twelve_pages(std::uint64_t seed) {
  // Header, eight pages of data, digest table, index, second header.
  Model model;
  for (int i = 0; i < 8; ++i) {
    model.plan.add({.name = "layer." + std::to_string(i), .dtype = DType::kUInt8, .shape = {4096}});
  }
  model.fill(seed);
  return model;
}

Status write_all(Writer& writer, const Model& model) { return write_all_to(writer, model); }
Status write_all(writer::Session& session, const Model& model) {
  return write_all_to(session, model);
}

WriterOptions options_on(io::FileSystem& file_system) {
  WriterOptions options;
  options.file_system = &file_system;
  return options;
}

Status save(std::string_view path, const Model& model, const WriterOptions& options) {
  INGOT_ASSIGN_OR_RETURN(auto writer, Writer::create(path, model.plan, options));
  INGOT_RETURN_IF_ERROR(write_all(writer, model));
  return writer.commit();
}

Content saved(const Model& model, WriterOptions options, const writer::Tuning& tuning) {
  io::MemoryFileSystem file_system;
  file_system.set_features({.direct = true});
  options.file_system = &file_system;
  auto session = writer::Session::create("model.ingot", model.plan, options, tuning);
  if (!session.ok() || !write_all(**session, model).ok() || !(*session)->commit().ok()) return {};
  return file_system.content("model.ingot");
}

Status check_file(Bytes file, const Model& model) { return FileCheck(file, model).run(); }

std::string difference(Bytes a, Bytes b) {
  const std::size_t common = std::min(a.size(), b.size());
  const auto at =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin());
  if (at.first - a.begin() == static_cast<std::ptrdiff_t>(common)) {
    if (a.size() == b.size()) return {};
    return std::to_string(a.size()) + " bytes and " + std::to_string(b.size());
  }
  return "differ at " + std::to_string(at.first - a.begin());
}

}  // namespace ingot::testing
