// What a save will write: tensors by name, gathered first, because storages that several tensors
// share can only be planned when all of them are known.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libtorch/parts.h"

namespace ingot::libtorch {

// A plan, and where the bytes of its storages come from.
struct Planned {
  struct Piece {
    StorageId storage;
    // A contiguous tensor of bytes: the storage's own memory, on its device, where it can be; else
    // a copy.
    std::function<torch::Tensor()> bytes;
    // Whether bytes() makes such a copy, which nobody else holds.
    bool makes_copy = false;
  };
  struct Blob {
    AttachmentId id;
    std::shared_ptr<const std::string> content;
  };
  WritePlan plan;
  std::vector<Piece> pieces;
  std::vector<Blob> blobs;
  // The pieces' memory holds what it is to hold: no stream has to be waited for.
  bool settled = false;
};

class Draft {
 public:
  // Error with kUnsupported unless it is a dense, strided tensor with memory, of a known type.
  void add(std::string name, const torch::Tensor& tensor, Role role);
  void attach(const Parts::Attachment& attachment) { attachments_.push_back(attachment); }
  StateValue& root() { return root_; }

  Planned plan() &&;

 private:
  struct Entry {
    std::string name;
    torch::Tensor tensor;
    Role role;
    bool requires_grad;
  };
  std::vector<Entry> entries_;
  std::vector<Parts::Attachment> attachments_;
  StateValue root_ = StateValue::dict();

  friend class Planner;
};

}  // namespace ingot::libtorch
