#include "format/validate_tensor_pass.h"

namespace ingot::format {
namespace {

bool accepts_all(IndexCheck& check, const fbs::Index& index) {
  TensorPass tensors(check, index);
  for (const fbs::Tensor* tensor : *index.tensors()) {
    if (!tensors.accepts(tensor)) return false;
  }
  return !tensors.unused_storage();
}

// One after the other: the first rule that is broken, in the order of docs/format.md.
Status what_is_wrong(IndexCheck check, const fbs::Index& index) {
  const std::uint32_t count = index.tensors()->size();
  TensorPass tensors(check, index);
  for (std::uint32_t i = 0; i < count; ++i) {
    INGOT_RETURN_IF_ERROR(tensors.check(index.tensors()->Get(i), i));
  }
  if (const auto storage = tensors.unused_storage()) {
    return check.rejected("F-47: storage " + std::to_string(*storage) + " belongs to no tensor");
  }
  return make_error(Code::kInternal, "the index's tensors are refused for no rule");
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         (is_printable_ascii(name) || is_printable_utf8(name));
}

Status validate_tensors(IndexCheck& check, const fbs::Index& index) {
  const IndexCheck before = check;
  if (accepts_all(check, index)) return {};
  return what_is_wrong(before, index);
}

}  // namespace ingot::format
