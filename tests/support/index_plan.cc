#include "tests/support/index_plan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "format/constants.h"
#include "format/extent.h"
#include "format/layout.h"

namespace ingot::testing {
namespace {

using format::IndexModel;

// Storages of the draft by section, in the order of their first use.
class Sections {
 public:
  explicit Sections(std::size_t storages) : seen_(storages, false) {}

  void use(std::uint32_t storage, std::uint8_t role) {
    if (seen_[storage]) return;
    seen_[storage] = true;
    sections_[role].push_back(storage);
  }
  const std::vector<std::uint32_t>& section(std::uint8_t role) const { return sections_[role]; }

 private:
  std::vector<bool> seen_;
  std::array<std::vector<std::uint32_t>, format::kAttachmentRole + 1> sections_;
};

bool has_parameters(const IndexModel::Tensor& tensor) {
  return tensor.quantization && tensor.quantization->scheme != QuantizationScheme::kPerTensorAffine;
}

Sections sections_of(const IndexDraft& draft, const IndexModel& model) {
  Sections sections(draft.storage_bytes.size());
  for (const auto& tensor : model.tensors) {
    const auto role = static_cast<std::uint8_t>(tensor.role);
    sections.use(tensor.storage, role);
    if (!has_parameters(tensor)) continue;
    sections.use(tensor.quantization->scales_storage, role);
    sections.use(tensor.quantization->zero_points_storage, role);
  }
  for (const auto& attachment : model.attachments) {
    sections.use(attachment.storage, format::kAttachmentRole);
  }
  return sections;
}

void renumber(IndexModel& model, const std::vector<std::uint32_t>& numbers) {
  for (auto& tensor : model.tensors) {
    tensor.storage = numbers[tensor.storage];
    if (!has_parameters(tensor)) continue;
    tensor.quantization->scales_storage = numbers[tensor.quantization->scales_storage];
    tensor.quantization->zero_points_storage = numbers[tensor.quantization->zero_points_storage];
  }
  for (auto& attachment : model.attachments) attachment.storage = numbers[attachment.storage];
}

StateValue rich_state() {
  StateValue state = StateValue::dict();
  StateValue& metadata = state.set("metadata", StateValue::dict());
  metadata.set("format", StateValue::string("pt"));
  state.set("nothing", StateValue::null());
  state.set("done", StateValue::boolean(true));
  state.set("step", StateValue::integer(-7));
  state.set("nan", StateValue::real(std::bit_cast<double>(0x7FF8000000001234u)));
  state.set("rng", StateValue::bytes(std::vector<std::byte>(10, std::byte{0xA5})));
  state.set("momentum", StateValue::tensor("exp_avg"));
  StateValue& groups = state.set("groups", StateValue::list());
  groups.append(StateValue::tuple({StateValue::real(0.9), StateValue::real(0.999)}));
  groups.append(StateValue::list());
  StateValue by_number = StateValue::dict();
  by_number.set(0, StateValue::string("\xC3\xA9 and \n"));
  by_number.set(-1, StateValue::string(""));
  groups.append(std::move(by_number));
  return state;
}

}  // namespace

std::uint32_t IndexDraft::storage(std::uint64_t bytes) {
  storage_bytes.push_back(bytes);
  return static_cast<std::uint32_t>(storage_bytes.size() - 1);
}

IndexModel::Tensor& IndexDraft::tensor(std::string name, DType dtype,
                                       std::vector<std::int64_t> shape, Role role) {
  const auto extent = format::tensor_extent(dtype, shape, {});
  const std::uint32_t number = storage(extent ? extent->bytes : 0);
  IndexModel::Tensor& added = model.tensors.emplace_back();
  added.name = std::move(name);
  added.dtype = dtype;
  added.role = role;
  added.storage = number;
  added.shape = std::move(shape);
  return added;
}

void IndexDraft::attachment(std::string name, std::string media_type, std::uint64_t bytes) {
  model.attachments.push_back({std::move(name), std::move(media_type), storage(bytes)});
}

IndexModel plan(const IndexDraft& draft) {
  IndexModel model = draft.model;
  std::sort(model.attachments.begin(), model.attachments.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  const Sections sections = sections_of(draft, model);
  format::DataLayout layout(std::uint64_t{1} << draft.chunk_log2,
                            std::uint64_t{1} << draft.alignment_log2);
  std::vector<std::uint32_t> numbers(draft.storage_bytes.size());
  for (std::uint8_t role = 1; role <= format::kAttachmentRole; ++role) {
    for (const std::uint32_t storage : sections.section(role)) {
      format::PlacedStorage placed;
      if (!layout.place(draft.storage_bytes[storage], &placed)) return {};
      numbers[storage] = static_cast<std::uint32_t>(model.storages.size());
      model.storages.push_back({.offset = placed.offset,
                                .bytes = placed.bytes,
                                .first_chunk = placed.first_chunk,
                                .role = role});
    }
  }
  renumber(model, numbers);
  return model;
}

IndexDraft rich_draft() {
  IndexDraft draft;
  auto& embed = draft.tensor("embed.weight", DType::kBFloat16, {8, 4});
  embed.requires_grad = true;
  const std::uint32_t tied = embed.storage;
  draft.tensor("exp_avg", DType::kFloat32, {170, 100}, Role::kOptimizerState);  // two chunks
  draft.tensor("running_mean", DType::kFloat32, {3}, Role::kBuffer);
  draft.tensor("lm_head.weight", DType::kBFloat16, {4, 8}).storage = tied;
  auto& strided = draft.tensor("conv.weight", DType::kFloat32, {2, 3});
  strided.strides = {1, 2};
  auto& row = draft.tensor("conv.row", DType::kFloat32, {2});
  row.storage = draft.model.tensors[4].storage;
  row.byte_offset = 16;
  draft.tensor("num_batches", DType::kInt64, {}, Role::kBuffer);
  draft.tensor("empty", DType::kFloat32, {0, 3}, Role::kOther);
  draft.tensor("packed", DType::kInt4, {3, 2}, Role::kOther);
  draft.tensor("quantised", DType::kQUInt8, {5}).quantization =
      Quantization{.scale = 0.25, .zero_point = 3};
  draft.tensor("channels", DType::kQInt8, {3, 4}).quantization =
      Quantization{.scheme = QuantizationScheme::kPerChannelAffine,
                   .scales_storage = draft.storage(24),
                   .zero_points_storage = draft.storage(24)};
  draft.attachment("tokenizer.json", "application/json", 1000);
  draft.attachment("config.json", "application/json", 10);
  draft.model.state = rich_state();
  return draft;
}

}  // namespace ingot::testing
