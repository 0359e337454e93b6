#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "format/index_model.h"
#include "format/index_view.h"
#include "format/validate.h"

namespace ingot::format {
namespace {

// Depth is bounded by validation, so recursion is too.
StateValue to_value(const StateView& view, const IndexView& index) {
  switch (view.kind()) {
    case StateKind::kNull:
      break;
    case StateKind::kBool:
      return StateValue::boolean(view.as_bool());
    case StateKind::kInt64:
      return StateValue::integer(view.as_int64());
    case StateKind::kFloat64:
      return StateValue::real(view.as_float64());
    case StateKind::kString:
      return StateValue::string(std::string(view.as_string()));
    case StateKind::kBytes:
      return StateValue::bytes({view.as_bytes().begin(), view.as_bytes().end()});
    case StateKind::kTensor:
      return StateValue::tensor(std::string(index.tensor(view.as_tensor()).name));
    case StateKind::kList:
    case StateKind::kTuple: {
      StateValue value = view.kind() == StateKind::kList ? StateValue::list() : StateValue::tuple();
      for (auto child = view.first_child(); child; child = child->next_sibling()) {
        value.append(to_value(*child, index));
      }
      return value;
    }
    case StateKind::kDict: {
      StateValue value = StateValue::dict();
      for (auto child = view.first_child(); child; child = child->next_sibling()) {
        value.set(*child->key(), to_value(*child, index));
      }
      return value;
    }
  }
  return {};
}

IndexModel to_model(const IndexView& index) {
  IndexModel model;
  for (std::uint32_t i = 0; i < index.tensor_count(); ++i) {
    const TensorInfo info = index.tensor(i);
    model.tensors.push_back({.name = std::string(info.name),
                             .dtype = info.dtype,
                             .role = info.role,
                             .requires_grad = info.requires_grad,
                             .storage = info.storage,
                             .byte_offset = info.byte_offset,
                             .shape = {info.shape.begin(), info.shape.end()},
                             .strides = {info.strides.begin(), info.strides.end()},
                             .quantization = info.quantization});
  }
  for (std::uint32_t i = 0; i < index.storage_count(); ++i) {
    // No chunk size is needed for what a model keeps of a storage.
    const StorageInfo info = index.storage(i, 1);
    model.storages.push_back({.offset = info.offset,
                              .bytes = info.bytes,
                              .first_chunk = info.first_chunk,
                              .file = info.file,
                              .role = index.section_of_storage(i)});
  }
  for (std::uint32_t i = 0; i < index.attachment_count(); ++i) {
    const AttachmentInfo info = index.attachment(i);
    model.attachments.push_back({.name = std::string(info.name),
                                 .media_type = std::string(info.media_type),
                                 .storage = info.storage});
  }
  if (const auto state = index.state()) model.state = to_value(*state, index);
  return model;
}

}  // namespace

Status check_canonical(Bytes index, std::string_view path) {
  INGOT_ASSIGN_OR_RETURN(const std::vector<std::byte> canonical,
                         encode_index(to_model(IndexView(index))));
  const auto [found, expected] =
      std::mismatch(index.begin(), index.end(), canonical.begin(), canonical.end());
  if (found == index.end() && expected == canonical.end()) return {};
  return make_error(Code::kRejected, "F-38: index is not in canonical form")
      .file(path)
      .at(Region::kIndex)
      .found("a difference at byte " + std::to_string(found - index.begin()) + " of " +
             std::to_string(index.size()));
}

}  // namespace ingot::format
