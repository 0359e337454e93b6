// Storages: where they lie, in which section, and who refers to them.
#include <cstdint>
#include <limits>

#include "format/constants.h"
#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace {

namespace at = format::header_at;
using ingot::testing::IndexDraft;

constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();
using Storage = HostileIndex::Storage;

// One storage changed.
InvalidGolden storage(std::string name, std::string rule, std::string why, std::size_t number,
                      void (*edit)(Storage&)) {
  return hostile("storage_" + name, std::move(rule), std::move(why),
                 [number, edit](HostileFile& f) { edit(f.index.storages[number]); });
}

InvalidGolden unsupported(InvalidGolden golden) {
  golden.code = Code::kUnsupported;
  return golden;
}

void add_fields(Goldens& all) {
  all.push_back(unsupported(storage("in_file_1", "F-40", "a storage in another file", 0,
                                    [](Storage& s) { s.file = 1; })));
  all.push_back(unsupported(storage("in_file_max", "F-40", "a storage in file 2^32 - 1", 7,
                                    [](Storage& s) { s.file = 0xFFFFFFFF; })));
  all.push_back(storage("reserved0", "F-41", "a reserved byte is set", 2,
                        [](Storage& s) { s.reserved0 = 1; }));
  all.push_back(storage("reserved1", "F-41", "reserved bytes are set", 2,
                        [](Storage& s) { s.reserved1 = 0x8000; }));
  all.push_back(storage("role_0", "F-42", "role 0", 0, [](Storage& s) { s.role = 0; }));
  all.push_back(storage("role_6", "F-42", "role 6", 7, [](Storage& s) { s.role = 6; }));
  all.push_back(storage("role_255", "F-42", "role 255", 7, [](Storage& s) { s.role = 255; }));
  all.push_back(storage("roles_descend", "F-42", "a buffer before a parameter", 0,
                        [](Storage& s) { s.role = 2; }));
}

void add_places(Goldens& all) {
  all.push_back(storage("offset_0", "F-43", "a storage over the header", 0,
                        [](Storage& s) { s.offset = 0; }));
  all.push_back(storage("offset_4095", "F-43", "a storage that begins in the header", 0,
                        [](Storage& s) { s.offset = 4095; }));
  all.push_back(storage("hole_first", "F-43", "a hole before the first storage", 0,
                        [](Storage& s) { s.offset = 4096 + 16; }));
  all.push_back(storage("hole_between", "F-43", "a hole between two storages", 2,
                        [](Storage& s) { s.offset += 16; }));
  all.push_back(storage("misaligned_1", "F-43", "a storage off by one byte", 1,
                        [](Storage& s) { s.offset += 1; }));
  all.push_back(storage("misaligned_8", "F-43", "a storage at a multiple of 8", 1,
                        [](Storage& s) { s.offset += 8; }));
  all.push_back(storage("overlap", "F-43", "two storages at one place", 1,
                        [](Storage& s) { s.offset = 4096; }));
  all.push_back(storage("overlap_partly", "F-43", "a storage that begins within another", 1,
                        [](Storage& s) { s.offset = 4096 + 16; }));
  all.push_back(storage("offset_max", "F-43", "an offset of 2^64 - 1 (CVE-2025-53630)", 1,
                        [](Storage& s) { s.offset = kMax64; }));
  all.push_back(storage("bytes_max", "F-43", "a length whose end overflows (CVE-2024-23496)", 0,
                        [](Storage& s) { s.bytes = kMax64; }));
  all.push_back(storage("bytes_wrap_to_fit", "F-43",
                        "a length that wraps around to the right end (CVE-2026-27940)", 7,
                        [](Storage& s) { s.bytes = kMax64 - s.offset + 1 + 4096; }));
  all.push_back(storage("end_2_63", "F-43", "an end that is negative as off_t", 7,
                        [](Storage& s) { s.bytes = (std::uint64_t{1} << 63) - s.offset; }));
  all.push_back(storage("swapped", "F-43", "two storages in each other's place", 0,
                        [](Storage& s) { s.offset = 4096 + 32; }));
  all.push_back(hostile(
      "storage_middling_on_16", "F-43", "5000 bytes aligned to 16 instead of 256",
      [](HostileFile& f) { f.index.storages[1].offset = 4096 + 16; },
      [] {
        IndexDraft draft;
        draft.tensor("tiny", DType::kUInt8, {1});
        draft.tensor("middling", DType::kUInt8, {5000});
        return HostileFile::from(draft);
      }));
  all.push_back(hostile(
      "storage_large_on_256", "F-43", "65536 bytes aligned to 256 instead of 4096",
      [](HostileFile& f) {
        f.index.storages[1].offset = 4096 + 256;
        f.data.resize(256 + 65536);
      },
      [] {
        IndexDraft draft;
        draft.tensor("tiny", DType::kUInt8, {1});
        draft.tensor("large", DType::kUInt8, {65536});
        return HostileFile::from(draft);
      }));
}

void add_ends(Goldens& all) {
  all.push_back(storage("past_data_end", "F-45",
                        "the last storage ends behind data_end (CVE-2026-7482)", 7,
                        [](Storage& s) { s.bytes += 1; }));
  all.push_back(storage("exabytes", "F-43", "exabytes in a file of pages (CVE-2026-33298)", 7,
                        [](Storage& s) { s.bytes = std::uint64_t{1} << 60; }));
  all.push_back(hostile("storage_short_of_data_end", "F-45", "data behind the last storage",
                        [](HostileFile& f) { f.data.resize(f.data.size() + 16); }));
  all.push_back(hostile(
      "storage_none_but_data", "F-45", "data without a storage",
      [](HostileFile& f) { f.data.resize(16); }, HostileFile::minimal));
  all.push_back(storage("first_chunk_1", "F-44", "the first storage does not begin with chunk 0", 0,
                        [](Storage& s) { s.first_chunk = 1; }));
  all.push_back(storage("first_chunk_shared", "F-44", "two storages on one digest", 1,
                        [](Storage& s) { s.first_chunk = 0; }));
  all.push_back(storage("first_chunk_max", "F-44", "first_chunk 2^64 - 1", 3,
                        [](Storage& s) { s.first_chunk = kMax64; }));
  const auto table_bytes = [](std::string name, std::string why, std::int64_t change,
                              std::string_view base) {
    return damaged(
        std::move(name), Code::kRejected, "F-46", std::move(why),
        [change](Draft& d) {
          d.set(at::kDigestsBytes,
                d.get<std::uint64_t>(at::kDigestsBytes) + static_cast<std::uint64_t>(change));
          d.reseal();
        },
        base);
  };
  all.push_back(table_bytes("digests_one_more", "a digest without a chunk", 16, "smallest"));
  all.push_back(table_bytes("digests_one_less", "a chunk without a digest", -16, "many"));
}

void add_references(Goldens& all) {
  all.push_back(
      hostile("storage_unused", "F-47", "a storage that nothing refers to", [](HostileFile& f) {
        f.index.tensors.erase(f.index.tensors.begin() + 3);
        f.index.fix_names();
      }));
  all.push_back(hostile("storage_role_not_its_tensors", "F-47", "a parameter on a buffer's storage",
                        [](HostileFile& f) { f.index.tensors[3].role = 1; }));
  all.push_back(hostile("storage_order", "F-47", "storages not in the order of their tensors",
                        [](HostileFile& f) {
                          f.index.tensors[0].storage = 1;
                          f.index.tensors[1].storage = 0;
                        }));
  all.push_back(hostile("storage_of_attachment", "F-47", "a tensor on an attachment's storage",
                        [](HostileFile& f) { f.index.tensors[6].storage = 6; }));
  all.push_back(hostile("storage_of_no_attachment", "F-47",
                        "storages of attachments without attachments",
                        [](HostileFile& f) { f.index.attachments.reset(); }));
}

}  // namespace

Goldens invalid_storages() {
  Goldens all;
  add_fields(all);
  add_places(all);
  add_ends(all);
  add_references(all);
  return all;
}

}  // namespace ingot::golden
