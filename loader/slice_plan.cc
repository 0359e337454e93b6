#include "loader/slice_plan.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <string>

#include "base/checked.h"
#include "base/error.h"

namespace ingot::loader {
namespace {

// Of any destination: their bytes are then below 2^63.
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 59;

Status check_within(const TensorInfo& tensor, const Slice& slice) {
  const std::size_t rank = tensor.shape.size();
  if (slice.begin.empty() && slice.end.empty()) return {};
  if (slice.begin.size() != rank || slice.end.size() != rank) {
    return make_error(Code::kInvalidArgument, "the slice has the wrong rank")
        .tensor(tensor.name)
        .expected(rank)
        .found(slice.begin.size() == rank ? slice.end.size() : slice.begin.size());
  }
  for (std::size_t i = 0; i < rank; ++i) {
    if (0 <= slice.begin[i] && slice.begin[i] <= slice.end[i] && slice.end[i] <= tensor.shape[i]) {
      continue;
    }
    return make_error(Code::kInvalidArgument,
                      "the slice is outside of dimension " + std::to_string(i))
        .tensor(tensor.name)
        .expected("a part of [0, " + std::to_string(tensor.shape[i]) + ")")
        .found("[" + std::to_string(slice.begin[i]) + ", " + std::to_string(slice.end[i]) + ")");
  }
  return {};
}

Status check_strides(const TensorInfo& tensor, std::span<const std::int64_t> strides) {
  if (!tensor.strides.empty() && tensor.strides.size() != tensor.shape.size()) {
    return make_error(Code::kInvalidArgument, "the description's strides have the wrong rank")
        .tensor(tensor.name)
        .expected(tensor.shape.size())
        .found(tensor.strides.size());
  }
  if (strides.empty()) return {};
  if (strides.size() != tensor.shape.size()) {
    return make_error(Code::kInvalidArgument, "the destination's strides have the wrong rank")
        .tensor(tensor.name)
        .expected(tensor.shape.size())
        .found(strides.size());
  }
  for (const std::int64_t stride : strides) {
    if (stride >= 0) continue;
    return make_error(Code::kInvalidArgument, "a destination's stride is negative")
        .tensor(tensor.name)
        .found(std::to_string(stride));
  }
  return {};
}

std::uint64_t slice_begin(const Slice& slice, std::size_t i) {
  return slice.begin.empty() ? 0 : static_cast<std::uint64_t>(slice.begin[i]);
}

std::uint64_t slice_size(const TensorInfo& tensor, const Slice& slice, std::size_t i) {
  const std::int64_t end = slice.end.empty() ? tensor.shape[i] : slice.end[i];
  return static_cast<std::uint64_t>(end) - slice_begin(slice, i);
}

// The fewest elements of a dtype that fill whole bytes, and those bytes.
struct Group {
  std::uint64_t elements;
  std::uint64_t bytes;
};
Group group_of(DType dtype) {
  const auto bits = static_cast<std::uint64_t>(dtype_bits(dtype));
  const std::uint64_t common = std::gcd(bits, std::uint64_t{8});
  return {8 / common, bits / common};
}

}  // namespace

Result<SlicePlan> SlicePlan::make(const TensorInfo& tensor, const Slice& slice,
                                  std::span<const std::int64_t> destination_strides) {
  INGOT_RETURN_IF_ERROR(check_within(tensor, slice));
  INGOT_RETURN_IF_ERROR(check_strides(tensor, destination_strides));
  SlicePlan plan;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (slice_size(tensor, slice, i) == 0) return plan;
  }
  INGOT_RETURN_IF_ERROR(plan.collect(tensor, slice, destination_strides));
  plan.merge_neighbours();
  plan.take_innermost_run();
  INGOT_RETURN_IF_ERROR(plan.to_bytes(tensor));
  return plan;
}

// One loop for each dimension of more than one element.
Status SlicePlan::collect(const TensorInfo& tensor, const Slice& slice,
                          std::span<const std::int64_t> destination_strides) {
  std::array<Loop, format::kMaxRank> reversed;
  std::uint64_t row_major = 1;
  std::uint64_t packed = 1;
  extent_ = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    const std::uint64_t step =
        tensor.strides.empty() ? row_major : static_cast<std::uint64_t>(tensor.strides[i]);
    const std::uint64_t count = slice_size(tensor, slice, i);
    begin_ += slice_begin(slice, i) * step;
    const std::uint64_t to =
        destination_strides.empty() ? packed : static_cast<std::uint64_t>(destination_strides[i]);
    std::uint64_t reach = 0;
    if (to == 0 && count > 1) {
      return make_error(Code::kInvalidArgument, "elements of the destination lie upon each other")
          .tensor(tensor.name);
    }
    if (!checked_mul(count - 1, to, &reach) || !checked_add(extent_, reach, &extent_) ||
        extent_ > kMaxElements) {
      return make_error(Code::kInvalidArgument, "the destination's strides are too large")
          .tensor(tensor.name);
    }
    if (count > 1) reversed[loops_++] = {count, step, to};
    row_major *= static_cast<std::uint64_t>(tensor.shape[i]);
    packed *= count;
  }
  std::reverse_copy(reversed.begin(), reversed.begin() + static_cast<std::ptrdiff_t>(loops_),
                    loop_.begin());
  bytes_ = packed;
  return {};
}

void SlicePlan::merge_neighbours() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < loops_; ++i) {
    const Loop& inner = loop_[i];
    if (kept > 0 && loop_[kept - 1].source_step == inner.source_step * inner.count &&
        loop_[kept - 1].destination_step == inner.destination_step * inner.count) {
      loop_[kept - 1] = {loop_[kept - 1].count * inner.count, inner.source_step,
                         inner.destination_step};
    } else {
      loop_[kept++] = inner;
    }
  }
  loops_ = kept;
}

void SlicePlan::take_innermost_run() {
  run_bytes_ = 1;
  if (loops_ > 0 && loop_[loops_ - 1].source_step == 1 && loop_[loops_ - 1].destination_step == 1) {
    run_bytes_ = loop_[--loops_].count;
  }
  // Walk the file, not the result, in order.
  std::stable_sort(loop_.begin(), loop_.begin() + static_cast<std::ptrdiff_t>(loops_),
                   [](const Loop& a, const Loop& b) { return a.source_step > b.source_step; });
}

Status SlicePlan::to_bytes(const TensorInfo& tensor) {
  const Group group = group_of(tensor.dtype);
  bool aligned = true;
  const auto convert = [&](std::uint64_t* elements) {
    aligned = aligned && *elements % group.elements == 0;
    *elements = *elements / group.elements * group.bytes;
  };
  convert(&begin_);
  convert(&run_bytes_);
  convert(&bytes_);
  convert(&extent_);
  for (std::size_t i = 0; i < loops_; ++i) {
    convert(&loop_[i].source_step);
    convert(&loop_[i].destination_step);
  }
  if (aligned) return {};
  return make_error(Code::kInvalidArgument, "the slice cuts a byte of a packed dtype")
      .tensor(tensor.name)
      .found(dtype_name(tensor.dtype));
}

}  // namespace ingot::loader
