// How a tensor lies in memory, in bytes, and how the format says it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ingot/libtorch.h"

namespace ingot::libtorch {

// Two or more elements in a byte.
inline bool is_packed(DType dtype) { return dtype_bits(dtype) % 8 != 0; }

inline std::uint64_t element_bytes(const torch::Tensor& tensor) {
  return static_cast<std::uint64_t>(tensor.element_size());
}

// Bytes [begin, end) of its storage that a tensor reaches. Empty for a tensor without elements.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t bytes() const { return end - begin; }
};
Extent extent_of(const torch::Tensor& tensor);

// Bytes of a tensor of this type and shape, row-major. Throws Error (kUnsupported) when packed
// elements, or rows of them, do not fill whole bytes.
std::uint64_t packed_bytes(const torch::Tensor& tensor, DType dtype);

// LibTorch begins each row of a packed quantised tensor with a new byte, the format does not: a
// tensor whose rows do not fill whole bytes lies differently in the two.
bool has_ragged_rows(c10::IntArrayRef shape, DType dtype);

// The format counts elements, LibTorch's Float4_e2m1fn_x2 counts pairs.
std::vector<std::int64_t> shape_in_file(const torch::Tensor& tensor, DType dtype);
std::vector<std::int64_t> shape_in_torch(const TensorInfo& tensor);

// The format's name of an element type: "float32".
std::string dtype_text(torch::ScalarType type);

// The same elements as integers of their size, where there is one: LibTorch has no kernels that
// copy int4, bits16 and their like. REQUIRES: neither quantised nor a conjugate or negative view.
torch::Tensor as_integers(const torch::Tensor& tensor);

// A view, as bytes, of a part of a tensor's storage; on the tensor's device.
torch::Tensor bytes_of_storage(const torch::Tensor& tensor, Extent extent);

}  // namespace ingot::libtorch
