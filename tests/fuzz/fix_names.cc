#include "tests/fuzz/fix_names.h"

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "format/constants.h"
#include "format/index_generated.h"
#include "format/name_table.h"
#include "io/aligned_buffer.h"

namespace ingot::fuzz {
namespace {

bool well_formed(Bytes index) {
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(index.data()), index.size(),
                                 format::kMaxVerifierDepth);
  return fbs::VerifyIndexBuffer(verifier);
}

void rewrite_tables(MutableBytes bytes) {
  const auto& index = *flatbuffers::GetRoot<fbs::Index>(bytes.data());
  const auto& tensors = *index.tensors();
  // The bytes may be written to, though the accessors that are generated do not.
  auto* hashes = const_cast<flatbuffers::Vector<std::uint64_t>*>(index.name_hashes());
  auto* numbers = const_cast<flatbuffers::Vector<std::uint32_t>*>(index.name_tensors());
  if (hashes->size() != tensors.size() || numbers->size() != tensors.size()) return;
  // The Verifier checks the alignment of a vector's length field, not that of its elements.
  if (reinterpret_cast<std::uintptr_t>(hashes->Data()) % sizeof(std::uint64_t) != 0) return;
  const auto table =
      format::make_name_table(tensors.size(), [&](std::size_t i) -> std::string_view {
        return tensors.Get(static_cast<flatbuffers::uoffset_t>(i))->name()->string_view();
      });
  for (flatbuffers::uoffset_t i = 0; i < tensors.size(); ++i) {
    hashes->Mutate(i, table[i].hash);
    numbers->Mutate(i, table[i].tensor);
  }
}

}  // namespace

void fix_names(MutableBytes index) {
  // FlatBuffers wants aligned memory, which a fuzzer does not promise.
  auto aligned = io::AlignedBuffer::allocate(index.size() + 1);
  if (!aligned.ok() || index.empty()) return;
  const MutableBytes copy = aligned->bytes().first(index.size());
  std::memcpy(copy.data(), index.data(), index.size());
  if (!well_formed(copy)) return;
  rewrite_tables(copy);
  std::memcpy(index.data(), copy.data(), copy.size());
}

}  // namespace ingot::fuzz
