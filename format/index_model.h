// The index on its way into a file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/dtype.h"
#include "ingot/state.h"
#include "ingot/status.h"
#include "ingot/tensor.h"

#include "base/bytes.h"
#include "format/constants.h"
#include "format/name_table.h"

namespace ingot::format {

struct IndexStorage {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t first_chunk = 0;
  std::uint32_t file = 0;
  std::uint8_t role = 0;
};

// What an index says, wherever that is kept: nothing is copied but into the index itself.
class IndexContent {
 public:
  virtual ~IndexContent() = default;
  virtual std::size_t tensors() const = 0;
  // In registration order, with the members that are stored.
  virtual TensorInfo tensor(std::size_t i) const = 0;
  virtual std::size_t attachments() const = 0;
  virtual AttachmentInfo attachment(std::size_t i) const = 0;
  virtual std::span<const IndexStorage> storages() const = 0;  // in file order
  virtual std::span<const NameHash> names() const = 0;         // make_name_table() of the tensors
  virtual const StateValue* state() const = 0;                 // null: none
};

// Gives at least so many bytes, aligned to 16.
using IndexMemory = std::function<Result<MutableBytes>(std::uint64_t bytes)>;

// Builds the one FlatBuffer that stands for the content (canonical: same content, same bytes), and
// returns where in the memory it lies, aligned to 16. Checks what the encoding itself needs: tensor
// references of the state tree resolve, depth, unique dict keys and the bound on its length;
// kInvalidArgument otherwise. Everything else is checked by validate_index(), which the writer runs
// on the result.
Result<Bytes> encode_index(const IndexContent& content, const IndexMemory& memory,
                           std::uint64_t max_bytes = kMaxIndexBytes);

// The index as plain values.
struct IndexModel {
  using Storage = IndexStorage;
  struct Tensor {
    std::string name;
    DType dtype = DType::kUInt8;
    Role role = Role::kOther;
    bool requires_grad = false;
    std::uint32_t storage = 0;
    std::uint64_t byte_offset = 0;
    std::vector<std::int64_t> shape;
    std::vector<std::int64_t> strides;  // empty: row-major
    std::optional<Quantization> quantization;
  };
  struct Attachment {
    std::string name;
    std::string media_type;
    std::uint32_t storage = 0;
  };

  std::vector<Tensor> tensors;    // in registration order
  std::vector<Storage> storages;  // in file order
  std::vector<Attachment> attachments;
  std::optional<StateValue> state;
};

// The same, of a model.
Result<std::vector<std::byte>> encode_index(const IndexModel& model,
                                            std::uint64_t max_bytes = kMaxIndexBytes);

}  // namespace ingot::format
