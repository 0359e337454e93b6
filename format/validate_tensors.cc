#include <algorithm>
#include <memory>

#include "format/validate_name_pass.h"
#include "format/validate_tensor_pass.h"

namespace ingot::format {
namespace {

// Hashes kept between the pass over the tensors and the one over the names: entries lie in the
// order of their hashes, and going from each to its name would be a cache miss or two. At most 8
// MiB, whatever the index claims; beyond a million tensors the names are gone through once a block.
constexpr std::size_t kBlock = std::size_t{1} << 20;

bool accepts_all(IndexCheck& check, const fbs::Index& index) {
  TensorPass tensors(check, index);
  NamePass names(check, index);
  const std::uint32_t count = index.tensors()->size();
  const std::size_t block = std::min<std::size_t>(count, kBlock);
  const auto hashes = std::make_unique_for_overwrite<std::uint64_t[]>(block);
  for (std::uint32_t first = 0; first < count;) {
    const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(block, count - first));
    for (std::uint32_t i = 0; i < size; ++i) {
      if (!tensors.accepts(index.tensors()->Get(first + i))) return false;
      hashes[i] = xxh3_64(as_bytes(tensors.name()));
    }
    if (!names.accepts_hashes(first, {hashes.get(), size})) return false;
    first += size;
  }
  return names.accepts_order() && !tensors.unused_storage();
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
  NamePass names(check, index);
  for (std::uint32_t i = 0; i < count; ++i) INGOT_RETURN_IF_ERROR(names.check(i));
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
