// Tensors out of a file: into memory that is there, into new memory, or as views of the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ingot/libtorch.h"

#include "libtorch/transfers.h"

namespace ingot::libtorch {

// What can be read later is: finish() does it all at once, and until then the memory of what was
// returned is undefined. One thread at a time. The checkpoint must outlive it; what it returns
// keeps what it needs.
class TensorReader {
 public:
  TensorReader(const Checkpoint& checkpoint, TransferOptions options);

  // Error with kUnsupported when this LibTorch has no such tensor.
  static void check_readable(const TensorInfo& info);
  // Fills `tensor`, which has the shape and the dtype, where it is; later.
  void read_into(const TensorInfo& info, const torch::Tensor& tensor);
  // In new memory; later.
  torch::Tensor read(const TensorInfo& info, torch::Device device);
  // In new memory of the host, at once.
  torch::Tensor read_now(const TensorInfo& info) const;
  // As read(), and tensors on one storage share theirs.
  torch::Tensor read_tied(const TensorInfo& info, torch::Device device);
  // From now on read_tied() gives these, where can_view(), as views of one piece of memory.
  void make_slab(const std::vector<TensorInfo>& tensors, torch::Device device);
  // A copy-on-write view. REQUIRES: can_view().
  torch::Tensor view(const TensorInfo& info);
  // Whether LibTorch's tensor is the bytes of the file: not so for quantised and packed integers.
  static bool can_view(const TensorInfo& info);

  // Reads what was put off.
  void finish();

 private:
  struct Converted {
    TensorInfo info;
    torch::Tensor tensor;
  };
  struct Waiting {
    TensorInfo info;
    torch::Tensor tensor;
  };
  // By number, and device.
  using StorageKey = std::pair<std::uint32_t, std::string>;

  torch::Tensor read_converted(const TensorInfo& info, torch::Device device);
  torch::Tensor bytes_of(const TensorInfo& info) const;
  torch::Tensor read_quantized(const TensorInfo& info) const;
  void copy_into(const TensorInfo& info, const torch::Tensor& tensor) const;

  const Checkpoint& checkpoint_;
  const Verify verify_;
  Transfers transfers_;
  std::vector<Waiting> waiting_;                  // what transfers cannot bring
  std::optional<MutableDataView> data_;           // once a view was asked for
  std::map<StorageKey, torch::Tensor> storages_;  // as bytes
  std::unordered_map<std::uint32_t, std::vector<Converted>> converted_;
};

}  // namespace ingot::libtorch
