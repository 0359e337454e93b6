// Which byte runs make up a rectangular part of a tensor. Pure arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ingot/checkpoint.h"
#include "ingot/status.h"

#include "format/constants.h"

namespace ingot::loader {

// Runs come in ascending order of their place in the file, as far as the strides allow, so that a
// reader touches each chunk once; neighbouring runs are one. Bytes count from the tensor's first.
class SlicePlan {
 public:
  // kInvalidArgument when the slice is not within the shape, or cuts a byte of a sub-byte dtype.
  // Shape and strides may be anything: runs of a description that was edited may lie anywhere.
  // `destination_strides`, in elements, one a dimension, place the result; empty means packed,
  // row-major.
  static Result<SlicePlan> make(const TensorInfo& tensor, const Slice& slice,
                                std::span<const std::int64_t> destination_strides = {});

  std::uint64_t bytes() const { return bytes_; }  // that are copied
  // From the result's first byte to behind its last; bytes() when it is packed.
  std::uint64_t destination_extent() const { return extent_; }

  // Calls visit(source, destination, bytes) -> Status for each run until one fails.
  template <typename Visitor>
  Status for_each_run(Visitor&& visit) const {
    if (bytes_ == 0) return {};
    std::array<std::uint64_t, format::kMaxRank> counters{};
    std::uint64_t source = begin_;
    std::uint64_t destination = 0;
    for (;;) {
      INGOT_RETURN_IF_ERROR(visit(source, destination, run_bytes_));
      std::size_t i = loops_;
      for (; i > 0; --i) {  // the odometer: innermost loop last
        const Loop& loop = loop_[i - 1];
        source += loop.source_step;
        destination += loop.destination_step;
        if (++counters[i - 1] < loop.count) break;
        source -= loop.source_step * loop.count;
        destination -= loop.destination_step * loop.count;
        counters[i - 1] = 0;
      }
      if (i == 0) return {};
    }
  }

 private:
  // Steps are in elements while the plan is made, in bytes when it is done.
  struct Loop {
    std::uint64_t count = 0;
    std::uint64_t source_step = 0;
    std::uint64_t destination_step = 0;
  };

  Status collect(const TensorInfo& tensor, const Slice& slice,
                 std::span<const std::int64_t> destination_strides);
  void merge_neighbours();
  void take_innermost_run();
  Status to_bytes(const TensorInfo& tensor);

  std::array<Loop, format::kMaxRank> loop_;  // outermost first
  std::size_t loops_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t run_bytes_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t extent_ = 0;
};

}  // namespace ingot::loader
