// Checkpoint::read_slice.
#include "base/checked.h"
#include "base/error.h"
#include "loader/checkpoint_state.h"
#include "loader/slice_plan.h"
#include "loader/storage_reader.h"

namespace ingot {

Status Checkpoint::read_slice(const TensorInfo& tensor, const Slice& slice,
                              std::span<std::byte> destination, Verify verify) const {
  INGOT_RETURN_IF_ERROR(state_->check_own(tensor));
  INGOT_ASSIGN_OR_RETURN(const loader::SlicePlan plan, loader::SlicePlan::make(tensor, slice));
  if (destination.size() != plan.bytes()) {
    return make_error(Code::kInvalidArgument, "the destination has the wrong size")
        .file(state_->path())
        .tensor(tensor.name)
        .expected(plan.bytes())
        .found(destination.size());
  }
  loader::StorageReader reader(*state_, tensor.storage, verify, tensor.name);
  INGOT_RETURN_IF_ERROR(plan.for_each_run(
      [&](std::uint64_t source, std::uint64_t target, std::uint64_t bytes) -> Status {
        // Shape and strides are the caller's: nothing that was edited leads out of the tensor.
        if (!range_in(source, bytes, tensor.bytes)) return state_->foreign_description(tensor);
        return reader.copy(
            tensor.byte_offset + source,
            destination.subspan(static_cast<std::size_t>(target), static_cast<std::size_t>(bytes)));
      }));
  return verify == Verify::kYes ? Status() : check_unchanged();
}

}  // namespace ingot
