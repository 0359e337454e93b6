#include "libtorch/layout.h"

#include "libtorch/error.h"

namespace ingot::libtorch {

Extent extent_of(const torch::Tensor& tensor) {
  if (tensor.numel() == 0) return {};
  std::int64_t last = 0;
  for (std::int64_t i = 0; i < tensor.dim(); ++i) {
    last += (tensor.size(i) - 1) * tensor.stride(i);
  }
  const auto element = static_cast<std::int64_t>(tensor.element_size());
  const std::int64_t begin = tensor.storage_offset() * element;
  return {static_cast<std::uint64_t>(begin),
          static_cast<std::uint64_t>(begin + (last + 1) * element)};
}

std::uint64_t packed_bytes(const torch::Tensor& tensor, DType dtype) {
  std::uint64_t elements = 1;
  for (const std::int64_t extent : shape_in_file(tensor, dtype)) {
    elements *= static_cast<std::uint64_t>(extent);
  }
  const std::uint64_t bits = elements * static_cast<std::uint64_t>(dtype_bits(dtype));
  if (bits % 8 != 0 || has_ragged_rows(tensor.sizes(), dtype)) {
    raise(Code::kUnsupported,
          "packed elements that do not fill whole bytes: " + std::string(dtype_name(dtype)));
  }
  return bits / 8;
}

bool has_ragged_rows(c10::IntArrayRef shape, DType dtype) {
  if (!is_quantized(dtype) || !is_packed(dtype) || shape.empty()) return false;
  return shape.back() * dtype_bits(dtype) % 8 != 0;
}

std::vector<std::int64_t> shape_in_file(const torch::Tensor& tensor, DType dtype) {
  std::vector<std::int64_t> shape = tensor.sizes().vec();
  if (dtype != DType::kFloat4E2M1FN) return shape;
  if (shape.empty()) raise(Code::kUnsupported, "a 0-d tensor of float4_e2m1fn_x2");
  shape.back() *= 2;
  return shape;
}

std::vector<std::int64_t> shape_in_torch(const TensorInfo& tensor) {
  std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
  if (tensor.dtype != DType::kFloat4E2M1FN) return shape;
  if (shape.empty() || shape.back() % 2 != 0) {
    throw Error(Status(Code::kUnsupported,
                       "float4 elements that are not pairs in the last dimension",
                       {.region = Region::kData, .tensor = std::string(tensor.name)}));
  }
  shape.back() /= 2;
  return shape;
}

std::string dtype_text(torch::ScalarType type) {
  const auto dtype = to_dtype(type);
  return dtype ? std::string(dtype_name(*dtype)) : c10::toString(type);
}

torch::Tensor as_integers(const torch::Tensor& tensor) {
  switch (tensor.element_size()) {
    case 1:
      return tensor.view(torch::kByte);
    case 2:
      return tensor.view(torch::kShort);
    case 4:
      return tensor.view(torch::kInt);
    case 8:
      return tensor.view(torch::kLong);
    default:
      return tensor;
  }
}

torch::Tensor bytes_of_storage(const torch::Tensor& tensor, Extent extent) {
  const torch::NoGradGuard no_grad;
  torch::Tensor bytes =
      torch::empty({0}, torch::TensorOptions(torch::kByte).device(tensor.device()));
  if (extent.bytes() == 0) return bytes;  // set_() would make an empty storage larger
  bytes.set_(tensor.storage(), static_cast<std::int64_t>(extent.begin),
             {static_cast<std::int64_t>(extent.bytes())}, {1});
  return bytes;
}

}  // namespace ingot::libtorch
