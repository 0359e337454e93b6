// LoadPlan: destinations of tensors' own.
#include "ingot/load_plan.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "loader/checkpoint_state.h"
#include "loader/load_plan_rep.h"
#include "loader/slice_plan.h"

namespace ingot {
namespace {

std::uint64_t address(const std::byte* data) { return reinterpret_cast<std::uintptr_t>(data); }

Status wrong_size(const Checkpoint::State& state, const TensorInfo& tensor,
                  std::string_view expected, const Destination& destination) {
  return make_error(Code::kInvalidArgument, "the destination has the wrong size")
      .file(state.path())
      .tensor(tensor.name)
      .expected(expected)
      .found(destination.memory.bytes);
}

}  // namespace

LoadPlan::LoadPlan(const Checkpoint& checkpoint) : rep_(std::make_unique<Rep>(checkpoint)) {}
LoadPlan::LoadPlan(LoadPlan&&) noexcept = default;
LoadPlan& LoadPlan::operator=(LoadPlan&&) noexcept = default;
LoadPlan::~LoadPlan() = default;

const Checkpoint& LoadPlan::checkpoint() const { return rep_->checkpoint; }
std::uint64_t LoadPlan::bytes() const { return rep_->bytes; }

std::uint32_t LoadPlan::Rep::device_number(Device* device) {
  if (device == nullptr) device = &host_device();
  const auto found = std::find(devices.begin(), devices.end(), device);
  const auto number = static_cast<std::uint32_t>(found - devices.begin());
  if (found == devices.end()) devices.push_back(device);
  return number;
}

Status LoadPlan::Rep::check_takes_destinations(std::string_view owner) const {
  if (!is_slab) return {};
  return make_error(Code::kInvalidArgument, "a slab's plan takes no destinations")
      .file(checkpoint.file().path)
      .tensor(owner);
}

Status LoadPlan::add(const TensorInfo& tensor, const Destination& destination) {
  // As it is stored: its bytes, and those between its elements.
  if (destination.strides.empty()) {
    const Checkpoint::State& state = rep_->checkpoint.internal();
    INGOT_RETURN_IF_ERROR(state.check_own(tensor));
    if (destination.memory.bytes != tensor.bytes) {
      return wrong_size(state, tensor, std::to_string(tensor.bytes), destination);
    }
    return add_storage(tensor.storage, tensor.byte_offset, destination, tensor.name);
  }
  return add(tensor, Slice{}, destination);
}

Status LoadPlan::add(const TensorInfo& tensor, const Slice& slice, const Destination& destination) {
  const Checkpoint::State& state = rep_->checkpoint.internal();
  INGOT_RETURN_IF_ERROR(rep_->check_takes_destinations(tensor.name));
  INGOT_RETURN_IF_ERROR(state.check_own(tensor));
  INGOT_ASSIGN_OR_RETURN(const loader::SlicePlan runs,
                         loader::SlicePlan::make(tensor, slice, destination.strides));
  const bool exact = destination.strides.empty();
  const std::uint64_t needed = runs.destination_extent();
  if (exact ? destination.memory.bytes != needed : destination.memory.bytes < needed) {
    return wrong_size(state, tensor, (exact ? "" : "at least ") + std::to_string(needed),
                      destination);
  }
  const std::uint64_t from = state.storage(tensor.storage).offset + tensor.byte_offset;
  const std::uint64_t to = address(destination.memory.data);
  const Rep::Mark before = rep_->mark();
  loader::PieceCollector collector(rep_->pieces, rep_->device_number(destination.device));
  const Status status =
      runs.for_each_run([&](std::uint64_t source, std::uint64_t target, std::uint64_t bytes) {
        if (!range_in(source, bytes, tensor.bytes)) return state.foreign_description(tensor);
        return collector.add(from + source, to + target, bytes);
      });
  if (!status.ok()) return rep_->roll_back(before), status;
  collector.finish();
  rep_->bytes += runs.bytes();
  return {};
}

Status LoadPlan::add_storage(std::uint32_t storage, std::uint64_t offset,
                             const Destination& destination, std::string_view owner) {
  const Checkpoint::State& state = rep_->checkpoint.internal();
  INGOT_RETURN_IF_ERROR(rep_->check_takes_destinations(owner));
  if (storage >= state.index.storage_count() ||
      !range_in(offset, destination.memory.bytes, state.storage(storage).bytes)) {
    return make_error(Code::kInvalidArgument, "the range is not one of a storage of this file")
        .file(state.path())
        .tensor(owner);
  }
  const Rep::Mark before = rep_->mark();
  loader::PieceCollector collector(rep_->pieces, rep_->device_number(destination.device));
  const Status status = collector.add(state.storage(storage).offset + offset,
                                      address(destination.memory.data), destination.memory.bytes);
  if (!status.ok()) return rep_->roll_back(before), status;
  collector.finish();
  rep_->bytes += destination.memory.bytes;
  return {};
}

}  // namespace ingot
