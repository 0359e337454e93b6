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
    return check.rejected("F-47: storage " + std::to_string(*storage) + " belongs to no tensor")
        .expected("a tensor for each storage of the roles 1 to 4")
        .found("none that refers to it");
  }
  return make_error(Code::kInternal, "the index's tensors are refused for no rule");
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         (is_printable_ascii(name) || is_printable_utf8(name));
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 80;
  std::string result = "\"" + std::string(text.substr(0, kShown));
  result += text.size() > kShown ? "...\" (" : "\" (";
  return result + std::to_string(text.size()) + " bytes)";
}

std::string list_text(std::span<const std::int64_t> numbers) {
  std::string text;
  for (const std::int64_t number : numbers) {
    text += (text.empty() ? "" : ", ") + std::to_string(number);
  }
  return "[" + text + "]";
}

Status validate_tensors(IndexCheck& check, const fbs::Index& index) {
  const IndexCheck before = check;
  if (accepts_all(check, index)) return {};
  return what_is_wrong(before, index);
}

}  // namespace ingot::format
