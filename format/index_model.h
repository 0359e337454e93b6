// The index as plain values, on its way into a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/dtype.h"
#include "ingot/state.h"
#include "ingot/status.h"
#include "ingot/tensor.h"

#include "format/constants.h"

namespace ingot::format {

struct IndexModel {
  struct Storage {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first_chunk = 0;
    std::uint32_t file = 0;
    std::uint8_t role = 0;
  };
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

// Builds the one FlatBuffer that stands for the model (canonical: same model, same bytes). Checks
// what the encoding itself needs: tensor references of the state tree resolve, depth, unique dict
// keys and the bound on its length; kInvalidArgument otherwise. Everything else is checked by
// validate_index(), which the writer runs on the result.
Result<std::vector<std::byte>> encode_index(const IndexModel& model,
                                            std::uint64_t max_bytes = kMaxIndexBytes);

}  // namespace ingot::format
