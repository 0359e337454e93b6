// Tensors out of a file: into memory that is there, into new memory, or as views of the file.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ingot/libtorch.h"

namespace ingot::libtorch {

// One thread at a time. The checkpoint must outlive it; what it returns keeps what it needs.
class TensorReader {
 public:
  TensorReader(const Checkpoint& checkpoint, Verify verify)
      : checkpoint_(checkpoint), verify_(verify) {}

  // Error with kUnsupported when this LibTorch has no such tensor.
  static void check_readable(const TensorInfo& info);
  // Fills `tensor`, which has the shape and the dtype, where it is.
  void read_into(const TensorInfo& info, torch::Tensor& tensor) const;
  // In new memory.
  torch::Tensor read(const TensorInfo& info, torch::Device device) const;
  // The same, and tensors on one storage share theirs.
  torch::Tensor read_tied(const TensorInfo& info, torch::Device device);
  // A copy-on-write view. REQUIRES: can_view().
  torch::Tensor view(const TensorInfo& info);
  // Whether LibTorch's tensor is the bytes of the file: not so for quantised and packed integers.
  static bool can_view(const TensorInfo& info);

 private:
  struct Converted {
    TensorInfo info;
    torch::Tensor tensor;
  };
  torch::Tensor read_converted(const TensorInfo& info, torch::Device device);
  torch::Tensor bytes_of(const TensorInfo& info) const;
  torch::Tensor read_quantized(const TensorInfo& info) const;

  const Checkpoint& checkpoint_;
  const Verify verify_;
  std::optional<MutableDataView> data_;                        // once a view was asked for
  std::unordered_map<std::uint32_t, torch::Tensor> storages_;  // as bytes, by number
  std::unordered_map<std::uint32_t, std::vector<Converted>> converted_;
};

}  // namespace ingot::libtorch
