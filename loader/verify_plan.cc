#include "loader/verify_plan.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"

namespace ingot::loader {
namespace {

// Small enough to share the work evenly, large enough that taking a unit costs nothing.
constexpr std::uint64_t kMinUnitBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxUnitBytes = std::uint64_t{8} << 20;
constexpr std::uint64_t kUnitsPerThread = 16;

// Storages behind a name: a tensor's own, those of its scales, or an attachment's.
Status collect_storages(const Checkpoint::State& state, std::string_view name,
                        std::vector<std::uint32_t>* storages) {
  if (const auto ordinal = state.index.find(name)) {
    const TensorInfo tensor = state.index.tensor(*ordinal);
    storages->push_back(tensor.storage);
    if (tensor.quantization &&
        tensor.quantization->scheme != QuantizationScheme::kPerTensorAffine) {
      storages->push_back(tensor.quantization->scales_storage);
      storages->push_back(tensor.quantization->zero_points_storage);
    }
    return {};
  }
  for (std::uint32_t i = 0; i < state.index.attachment_count(); ++i) {
    const AttachmentInfo attachment = state.index.attachment(i);
    if (attachment.name == name) return storages->push_back(attachment.storage), Status();
  }
  return make_error(Code::kNotFound, "no such tensor or attachment")
      .file(state.path())
      .tensor(name);
}

}  // namespace

Result<VerifyPlan> VerifyPlan::make(const Checkpoint::State& state, const VerifyOptions& options,
                                    int threads) {
  VerifyPlan plan(state);
  if (!options.tensors.empty()) {
    plan.checks_padding_ = false;
    INGOT_RETURN_IF_ERROR(plan.add_named(options.tensors));
  } else if (options.level == VerifyLevel::kIndex) {
    plan.add({0, format::kPageBytes});
    plan.add({state.header.data_end, state.header.file_bytes});
  } else {
    plan.add({0, state.header.file_bytes});
  }
  plan.divide(threads);
  return plan;
}

Status VerifyPlan::add_named(std::span<const std::string> names) {
  std::vector<std::uint32_t> storages;
  for (const std::string& name : names) {
    INGOT_RETURN_IF_ERROR(collect_storages(*state_, name, &storages));
  }
  std::sort(storages.begin(), storages.end());
  storages.erase(std::unique(storages.begin(), storages.end()), storages.end());
  for (std::size_t i = 0; i < storages.size();) {
    // Neighbours are read together.
    std::size_t last = i;
    while (last + 1 < storages.size() && storages[last + 1] == storages[last] + 1) ++last;
    const StorageInfo end = state_->storage(storages[last]);
    add({state_->storage(storages[i]).offset, end.offset + end.bytes});
    i = last + 1;
  }
  return {};
}

void VerifyPlan::add(const Stretch& range) {
  if (range.bytes() == 0) return;
  ranges_.push_back(range);
  total_bytes_ += range.bytes();
}

void VerifyPlan::divide(int threads) {
  unit_bytes_ = std::clamp(total_bytes_ / (static_cast<std::uint64_t>(threads) * kUnitsPerThread),
                           kMinUnitBytes, kMaxUnitBytes);
  for (const Stretch& range : ranges_) {
    first_unit_.push_back(units_);
    units_ += ceil_div(range.bytes(), unit_bytes_);
  }
}

Stretch VerifyPlan::unit(std::uint64_t number) const {
  const auto after = std::upper_bound(first_unit_.begin(), first_unit_.end(), number);
  const auto i = static_cast<std::size_t>(after - first_unit_.begin()) - 1;
  const Stretch& range = ranges_[i];
  const std::uint64_t within = (number - first_unit_[i]) * unit_bytes_;
  ItemCursor cursor(*state_);
  Stretch unit;
  unit.begin = within == 0 ? range.begin : cursor.seek(range.begin + within);
  unit.end = range.bytes() - within <= unit_bytes_
                 ? range.end
                 : cursor.seek(range.begin + within + unit_bytes_);
  // The item after a range's last one is not the range's.
  unit.begin = std::min(unit.begin, range.end);
  unit.end = std::min(unit.end, range.end);
  return unit;
}

}  // namespace ingot::loader
