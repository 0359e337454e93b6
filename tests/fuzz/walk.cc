#include "tests/fuzz/walk.h"

#include <bit>
#include <cstdlib>
#include <utility>
#include <vector>

#include "ingot/optimizer.h"

namespace ingot::fuzz {

namespace {

std::uint64_t sum_text(std::string_view text) {
  std::uint64_t sum = text.size();
  for (const char c : text) sum += static_cast<unsigned char>(c);
  return sum;
}

std::uint64_t value_of(const StateView& node) {
  switch (node.kind()) {
    case StateKind::kNull:
      return 0;
    case StateKind::kBool:
      return node.as_bool() ? 1 : 0;
    case StateKind::kInt64:
      return static_cast<std::uint64_t>(node.as_int64());
    case StateKind::kFloat64:
      return std::bit_cast<std::uint64_t>(node.as_float64());
    case StateKind::kString:
      return sum_text(node.as_string());
    case StateKind::kBytes:
      return node.as_bytes().size();
    case StateKind::kTensor:
      return node.as_tensor();
    case StateKind::kList:
    case StateKind::kTuple:
    case StateKind::kDict:
      return node.size();
  }
  std::abort();  // validation let an unknown kind through
}

}  // namespace

void keep(std::uint64_t sum) {
  [[maybe_unused]] static volatile std::uint64_t sink;
  sink = sum;
}

std::uint64_t walk_state(const StateView& root) {
  std::uint64_t sum = 0;
  std::vector<StateView> open = {root};
  while (!open.empty()) {
    const StateView node = open.back();
    open.pop_back();
    sum += value_of(node);
    if (node.has_string_key()) sum += sum_text(node.string_key());
    std::uint32_t children = 0;
    for (auto child = node.first_child(); child; child = child->next_sibling(), ++children) {
      open.push_back(*child);
    }
    if (children != node.size()) std::abort();
  }
  return sum;
}

std::uint64_t walk(const Checkpoint& checkpoint) {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    const TensorInfo tensor = checkpoint.info(i);
    const auto found = checkpoint.find(tensor.name);
    if (!found || found->ordinal != i) std::abort();
    sum += tensor.numel() + tensor.bytes + static_cast<std::uint64_t>(dtype_bits(tensor.dtype));
    for (const std::int64_t stride : tensor.strides) sum += static_cast<std::uint64_t>(stride);
    const StorageInfo storage = checkpoint.storage(tensor.storage);
    if (tensor.byte_offset + tensor.bytes > storage.bytes) std::abort();
    for (std::uint64_t chunk = 0; chunk < storage.chunks; ++chunk) {
      sum += checkpoint.chunk_digest(storage.first_chunk + chunk).low;
    }
  }
  for (std::uint32_t i = 0; i < checkpoint.attachment_count(); ++i) {
    const AttachmentInfo attachment = checkpoint.attachment(i);
    if (!checkpoint.find_attachment(attachment.name)) std::abort();
    sum += attachment.bytes + attachment.media_type.size();
  }
  if (const auto state = checkpoint.state()) sum += walk_state(*state);
  const auto found = optimizers(checkpoint);
  if (found.ok()) {
    for (const OptimizerInfo& optimizer : *found) sum += optimizer.member_count();
  } else if (found.status().code() != Code::kRejected) {
    std::abort();
  }
  return sum;
}

}  // namespace ingot::fuzz
