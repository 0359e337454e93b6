// What a tensor in a checkpoint is: its description, and views of its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "ingot/dtype.h"

namespace ingot {

// What a tensor is for. Data lies in this order, so that inference reads one contiguous range.
enum class Role : std::uint8_t {
  kParameter = 1,
  kBuffer = 2,
  kOptimizerState = 3,
  kOther = 4,
};
std::string_view role_name(Role role);

// How quantised integers map to real numbers: real = scale * (q - zero_point).
enum class QuantizationScheme : std::uint8_t {
  kPerTensorAffine = 1,
  kPerChannelAffine = 2,             // scales float64, zero points int64, one each along `axis`
  kPerChannelAffineFloatQParams = 3  // scales and zero points float32
};

// Per tensor: `scale` and `zero_point`. Per channel: two storages of shape[axis] elements each.
struct Quantization {
  QuantizationScheme scheme = QuantizationScheme::kPerTensorAffine;
  double scale = 1.0;
  std::int64_t zero_point = 0;
  std::int32_t axis = 0;
  std::uint32_t scales_storage = 0;
  std::uint32_t zero_points_storage = 0;

  friend bool operator==(const Quantization&, const Quantization&) = default;
};

// A description. The spans and the name point into the checkpoint's index: they are valid as long
// as any Checkpoint, TensorView or MutableTensorView from the same open() lives. Cheap to copy.
struct TensorInfo {
  std::string_view name;  // fully qualified name, UTF-8, unique in the file
  DType dtype = DType::kUInt8;
  Role role = Role::kOther;
  bool requires_grad = false;
  std::span<const std::int64_t> shape;    // empty for a 0-d tensor
  std::span<const std::int64_t> strides;  // in elements; empty means row-major contiguous
  std::uint32_t ordinal = 0;              // position in registration order
  std::uint32_t storage = 0;              // tied tensors name the same storage
  std::uint64_t byte_offset = 0;          // of element [0, 0, …] within the storage
  std::uint64_t bytes = 0;                // from byte_offset to the last byte that an element uses
  std::optional<Quantization> quantization;

  std::uint64_t numel() const {
    std::uint64_t n = 1;
    for (std::int64_t extent : shape) n *= static_cast<std::uint64_t>(extent);
    return n;
  }
  bool is_contiguous() const { return strides.empty(); }
};

// A run of bytes that several tensors may share, hashed once, chunk by chunk.
struct StorageInfo {
  std::uint64_t offset = 0;  // from file start; a multiple of its alignment
  std::uint64_t bytes = 0;
  std::uint64_t first_chunk = 0;  // its first entry in the digest table
  std::uint64_t chunks = 0;
  std::uint32_t file = 0;  // entry of the file table; 0 is this file
};

// Read-only bytes of a tensor in the mapped file. Keeps the mapping alive. Not verified by itself
// (see verify.h), and valid as long as nobody truncates or overwrites the file in place: Ingot
// never does, saves go to a new file (docs/security.md, "Mapped files").
struct TensorView {
  TensorInfo info;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

// Private, writable bytes (copy-on-write): writes never reach the file nor any other view.
struct MutableTensorView {
  TensorInfo info;
  std::span<std::byte> bytes;
  std::shared_ptr<const void> owner;
};

// The same for all storages at once: a private mapping of the data region, in which tied tensors
// stay tied. Storage `s` lies at StorageInfo::offset - FileInfo::data_begin. Takes no memory until
// it is read or written.
struct MutableDataView {
  std::span<std::byte> data;
  std::shared_ptr<const void> owner;
};

}  // namespace ingot
