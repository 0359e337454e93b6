// validate_index() behind satisfied digests. Input: the first 208 bytes of a header, then index
// bytes; three mutations out of four have their table of names made right again. Whatever it
// accepts is walked in full, and the walk must stay inside the bytes (ASan) and the rules.
#include <cstdint>
#include <cstdlib>

#include "base/checked.h"
#include "format/constants.h"
#include "format/header.h"
#include "format/index_view.h"
#include "format/validate.h"
#include "io/aligned_buffer.h"
#include "tests/fuzz/fix_names.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/walk.h"

namespace {

namespace at = ingot::format::header_at;
constexpr std::size_t kFields = at::kReserved1;

// Fields as they stand; decode_header() would refuse most inputs before the index is looked at.
ingot::format::Header raw_header(ingot::Bytes fields, std::size_t index_bytes) {
  ingot::format::Header header;
  header.required_features = 0;
  header.optional_features = ingot::load_le<std::uint64_t>(fields, at::kOptionalFeatures);
  header.file_bytes = ingot::load_le<std::uint64_t>(fields, at::kFileBytes);
  header.data_end = ingot::load_le<std::uint64_t>(fields, at::kDataEnd);
  header.digests_offset = ingot::load_le<std::uint64_t>(fields, at::kDigestsOffset);
  header.digests_bytes = ingot::load_le<std::uint64_t>(fields, at::kDigestsBytes);
  header.index_offset = ingot::load_le<std::uint64_t>(fields, at::kIndexOffset);
  header.index_bytes = index_bytes;
  header.chunk_log2 = 16 + ingot::load_le<std::uint32_t>(fields, at::kChunkLog2) % 15;
  header.alignment_log2 = 12 + ingot::load_le<std::uint32_t>(fields, at::kAlignmentLog2) % 10;
  return header;
}

void walk(const ingot::format::IndexView& index, const ingot::format::Header& header) {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < index.tensor_count(); ++i) {
    const ingot::TensorInfo tensor = index.tensor(i);
    if (index.find(tensor.name) != i) std::abort();
    const ingot::StorageInfo storage = index.storage(tensor.storage, header.chunk_bytes());
    if (!ingot::range_in(tensor.byte_offset, tensor.bytes, storage.bytes)) std::abort();
    if (!ingot::range_in(storage.offset, storage.bytes, header.data_end)) std::abort();
    if (index.owner_of_storage(tensor.storage).empty()) std::abort();
    sum += tensor.numel();
  }
  for (std::uint32_t i = 0; i < index.attachment_count(); ++i) sum += index.attachment(i).bytes;
  if (const auto state = index.state()) sum += ingot::fuzz::walk_state(*state);
  ingot::fuzz::keep(sum);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kFields) return 0;
  const ingot::Bytes input = std::as_bytes(std::span(data, size));
  const ingot::Bytes index_bytes = input.subspan(kFields);
  auto buffer = ingot::io::AlignedBuffer::allocate(index_bytes.size() + 1);
  if (!buffer.ok()) return 0;
  if (!index_bytes.empty()) {
    std::memcpy(buffer->data(), index_bytes.data(), index_bytes.size());
  }
  const ingot::Bytes index = buffer->bytes().first(index_bytes.size());
  const ingot::format::Header header = raw_header(input, index.size());
  if (!ingot::format::validate_index(index, header, ingot::Limits{}, "fuzz").ok()) return 0;
  walk(ingot::format::IndexView(index), header);
  // Accepted content must survive its own re-encoding, canonical or not.
  (void)ingot::format::check_canonical(index, "fuzz").ok();
  return 0;
}

#ifdef INGOT_FUZZ
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned int seed) {
  return ingot::fuzz::mutate_then_fix(
      data, size, max_size, seed, kFields,
      [](ingot::MutableBytes input) { ingot::fuzz::fix_names(input.subspan(kFields)); });
}
#endif
