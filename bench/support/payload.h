// A shape's bytes in memory, as a training process has them when it saves.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "bench/support/descriptor.h"
#include "bench/support/shapes.h"

namespace ingot::bench {

class Payload {
 public:
  explicit Payload(Shape shape) : shape_(std::move(shape)) {}

  const Shape& shape() const { return shape_; }
  // All tensors' bytes, one after another. Made when they are first asked for: what a filter leaves
  // out takes no memory.
  std::span<std::byte> bytes() const {
    if (!memory_) {
      memory_.emplace(shape_.bytes());
      fill(memory_->bytes(), 1);
    }
    return memory_->bytes();
  }

 private:
  Shape shape_;
  mutable std::optional<Memory> memory_;
};

// Saves the payload as an Ingot file; true when the commit succeeded. What a caller would write.
inline Status save(const Payload& payload, const std::string& path, const WriterOptions& options) {
  WritePlan plan = payload.shape().plan();
  INGOT_ASSIGN_OR_RETURN(Writer writer, Writer::create(path, plan, options));
  std::size_t offset = 0;
  for (std::size_t i = 0; i < payload.shape().tensors.size(); ++i) {
    std::size_t bytes = payload.shape().tensors[i].bytes();
    INGOT_RETURN_IF_ERROR(
        writer.write(static_cast<TensorId>(i), payload.bytes().subspan(offset, bytes)));
    offset += bytes;
  }
  return writer.commit();
}

}  // namespace ingot::bench
