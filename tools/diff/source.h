// A set of named tensors to compare: an Ingot file or .safetensors.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/digest.h"
#include "ingot/state.h"
#include "ingot/status.h"
#include "ingot/tensor.h"

#include "base/bytes.h"

namespace ingot::tools {

// What only an Ingot file knows about a tensor.
struct TensorAttributes {
  Role role = Role::kParameter;
  bool requires_grad = false;
  std::vector<std::int64_t> strides;
  std::optional<Quantization> quantization;
  std::string_view tied_with;  // the first by name of those that share its storage; may be itself
};

// Views point into the source.
struct TensorFacts {
  std::string_view name;
  DType dtype = DType::kUInt8;
  std::span<const std::int64_t> shape;
  std::uint64_t bytes = 0;  // packed
  std::uint64_t numel() const {
    std::uint64_t n = 1;
    for (const std::int64_t extent : shape) n *= static_cast<std::uint64_t>(extent);
    return n;
  }
};

// Stands for all bytes of a tensor and how they lie: equal ones mean equal tensors.
struct WholeDigest {
  Digest128 storage;
  std::uint64_t storage_bytes = 0;
  std::uint64_t chunk_bytes = 0;
  std::uint64_t byte_offset = 0;
  std::vector<std::int64_t> strides;
  friend bool operator==(const WholeDigest&, const WholeDigest&) = default;
};

// One tensor's packed bytes, and what is known of them without reading.
class TensorBytes {
 public:
  virtual ~TensorBytes() = default;
  virtual Status read(std::uint64_t offset, MutableBytes destination) = 0;
  virtual std::optional<WholeDigest> whole_digest() const { return std::nullopt; }
  // Bytes per stored digest; 0 when there are none for this tensor's packed bytes.
  virtual std::uint64_t chunk_bytes() const { return 0; }
  // Stored digest of the k-th such run (the last may be shorter). REQUIRES: chunk_bytes() != 0.
  virtual Digest128 chunk_digest(std::uint64_t) const { return {}; }
};

struct AttachmentFacts {
  std::string_view name;
  std::string_view media_type;
  std::uint64_t bytes = 0;
};

// Bytes that are no tensor of their own.
struct Blob {
  std::string_view name;
  std::uint64_t size = 0;
  std::unique_ptr<TensorBytes> bytes;
};

// Read-only. Const functions may be called from several threads.
class DiffSource {
 public:
  virtual ~DiffSource() = default;

  // See kind_of() in file_kind.h.
  static Result<std::unique_ptr<DiffSource>> open(const std::string& path, bool follow_symlinks);

  virtual std::uint32_t tensor_count() const = 0;
  virtual TensorFacts facts(std::uint32_t tensor) const = 0;
  virtual std::unique_ptr<TensorBytes> bytes(std::uint32_t tensor) const = 0;
  // Whether attributes(), attachments and all of the state are to be compared: .safetensors has
  // tensors and string metadata alone.
  virtual bool is_complete() const = 0;
  virtual TensorAttributes attributes(std::uint32_t) const { return {}; }
  // Scales and zero points of a tensor that is quantised per channel; else none.
  virtual std::vector<Blob> quantization_blobs(std::uint32_t) const { return {}; }
  virtual std::optional<StateValue> state() const = 0;
  virtual std::uint32_t attachment_count() const { return 0; }
  virtual AttachmentFacts attachment(std::uint32_t) const { return {}; }
  virtual Blob attachment_blob(std::uint32_t) const { return {}; }
  virtual Status check_unchanged() const = 0;
};

}  // namespace ingot::tools
