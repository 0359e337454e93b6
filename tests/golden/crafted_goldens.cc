#include "tests/golden/crafted_goldens.h"

#include <algorithm>
#include <cstdint>

#include "format/constants.h"
#include "tests/golden/index_patch.h"
#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace {

namespace at = format::header_at;

constexpr std::size_t kRootFields = 7;  // of version 1.0

FileBytes edited(std::string_view base, void (*edit)(Draft&)) {
  Draft draft(valid_file(base));
  edit(draft);
  draft.reseal();
  return draft.take();
}

FileBytes later_index() {
  HostileFile file = small_file();
  file.raw_index = with_later_field(file.index.encode());
  file.header.minor = 3;
  return file.assemble();
}

}  // namespace

// The new vtable and table go between the identifier and what was there before: 8 fields make a
// vtable of 20 bytes and a table of 4 + 7 references + one u64.
FileBytes with_later_field(const FileBytes& index) {
  constexpr std::size_t kVtable = 8;
  constexpr std::size_t kVtableBytes = 4 + 2 * (kRootFields + 1);
  constexpr std::size_t kTable = kVtable + kVtableBytes;  // 28
  constexpr std::size_t kLater = 64;                      // the u64, aligned to 8
  constexpr std::size_t kAdded = 72 - 8;
  static_assert(kTable + 4 + 4 * kRootFields <= kLater);
  FileBytes bytes = index;
  IndexPatch old(bytes);
  FileBytes result(bytes.size() + kAdded);
  std::copy_n(bytes.begin(), 8, result.begin());
  std::copy(bytes.begin() + 8, bytes.end(), result.begin() + 8 + kAdded);
  IndexPatch patch(result);
  patch.set<std::uint32_t>(0, kTable);
  patch.set<std::uint16_t>(kVtable, kVtableBytes);
  patch.set<std::uint16_t>(kVtable + 2, kLater + 8 - kTable);
  patch.set<std::int32_t>(kTable, kTable - kVtable);
  for (std::size_t id = 0; id < kRootFields; ++id) {
    const std::size_t vtable_bytes = old.get<std::uint16_t>(old.vtable(old.root()));
    if (4 + 2 * id >= vtable_bytes || old.get<std::uint16_t>(old.entry(old.root(), id)) == 0)
      continue;
    const std::size_t reference = kTable + 4 + 4 * id;
    patch.set<std::uint16_t>(kVtable + 4 + 2 * id, static_cast<std::uint16_t>(reference - kTable));
    patch.set<std::uint32_t>(
        reference, static_cast<std::uint32_t>(old.part(old.root(), id) + kAdded - reference));
  }
  patch.set<std::uint16_t>(kVtable + 4 + 2 * kRootFields, kLater - kTable);
  patch.set<std::uint64_t>(kLater, 0x0123456789ABCDEF);
  return result;
}

std::vector<CraftedGolden> crafted_goldens() {
  return {
      {"optional_feature_63", "F-05: an optional feature bit without a meaning must be ignored",
       [] {
         return edited("smallest",
                       [](Draft& d) { d.set(at::kOptionalFeatures, std::uint64_t{1} << 63); });
       }},
      {"optional_features_all", "F-05: all optional feature bits but that of the SHA-256 column",
       [] {
         return edited("smallest",
                       [](Draft& d) { d.set(at::kOptionalFeatures, ~std::uint64_t{1}); });
       }},
      {"minor_7_reserved", "a later minor version that uses the header's reserved bytes (F-07)",
       [] {
         return edited("smallest", [](Draft& d) {
           d.set<std::uint16_t>(at::kMinor, 7);
           d.set<std::uint64_t>(at::kReserved0, 0x1122334455667788);
           d.set<std::uint64_t>(at::kReserved1, 0x99AABBCCDDEEFF00);
           d.set<std::uint8_t>(at::kHeaderDigest - 1, 0x5A);
         });
       }},
      {"minor_3_field", "a later minor version that adds a field to the index", later_index},
  };
}

}  // namespace ingot::golden
