#include <algorithm>
#include <memory>

#include "format/validate_name_pass.h"

namespace ingot::format {
namespace {

// Hashes kept between the pass over the tensors and the one over the entries: those lie in the
// order of their hashes, and going from each to its name would be a cache miss or two. At most 1
// MiB, whatever the index claims, so that it stays in a cache; with more tensors the entries are
// gone through once a block.
constexpr std::size_t kBlock = std::size_t{1} << 17;

// Whether every name is short enough to hash, and all of them no more than the index: aliases of
// one long name would be hashed for ever.
class Names {
 public:
  Names(IndexCheck& check, const fbs::Index& index) : check_(check), tensors_(*index.tensors()) {}

  bool hash(std::uint32_t first, std::span<std::uint64_t> hashes) {
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      const flatbuffers::String* name = tensors_.Get(first + static_cast<std::uint32_t>(i))->name();
      if (name->size() > kMaxNameBytes || !check_.refer(name)) return false;
      hashes[i] = xxh3_64(as_bytes(text_of(name)));
    }
    return true;
  }

 private:
  IndexCheck& check_;
  const flatbuffers::Vector<flatbuffers::Offset<fbs::Tensor>>& tensors_;
};

}  // namespace

Status validate_names(IndexCheck& check, const fbs::Index& index) {
  Names names(check, index);
  NamePass entries(check, index);
  const std::uint32_t count = index.tensors()->size();
  const auto hashes =
      std::make_unique_for_overwrite<std::uint64_t[]>(std::min<std::size_t>(count, kBlock));
  bool right = true;
  for (std::uint32_t first = 0; first < count && right;) {
    const std::span<std::uint64_t> block(hashes.get(),
                                         std::min<std::size_t>(kBlock, count - first));
    if (!names.hash(first, block)) return check.rejected("F-50: a tensor's name");
    right = entries.accepts_hashes(first, block);
    first += static_cast<std::uint32_t>(block.size());
  }
  if (right && entries.accepts_order()) return {};
  for (std::uint32_t i = 0; i < count; ++i) INGOT_RETURN_IF_ERROR(entries.check(i));
  return make_error(Code::kInternal, "the index's names are refused for no rule");
}

}  // namespace ingot::format
