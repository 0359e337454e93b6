// The index as a FlatBuffer: offsets that lead out, parts that are used twice, and bytes that no
// writer of the canonical form writes.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/golden/crafted_goldens.h"
#include "tests/golden/index_patch.h"
#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace {

using ingot::testing::IndexDraft;
using Patch = std::function<void(IndexPatch&)>;

// Bytes of small_file()'s index changed in place.
InvalidGolden patched(std::string name, std::string rule, std::string why, Patch patch) {
  return hostile("index_" + name, std::move(rule), std::move(why),
                 [patch = std::move(patch)](HostileFile& f) {
                   f.raw_index = f.index.encode();
                   IndexPatch index(*f.raw_index);
                   patch(index);
                 });
}

// The index's bytes replaced.
InvalidGolden rewritten(std::string name, std::string rule, std::string why,
                        std::function<void(FileBytes&)> edit, HostileFile (*base)() = small_file) {
  return hostile(
      "index_" + name, std::move(rule), std::move(why),
      [edit = std::move(edit)](HostileFile& f) {
        f.raw_index = f.index.encode();
        edit(*f.raw_index);
      },
      base);
}

InvalidGolden content(std::string name, std::string rule, std::string why, HostileEdit edit,
                      HostileFile (*base)() = small_file) {
  return hostile("index_" + name, std::move(rule), std::move(why), std::move(edit), base);
}

// One tensor with the longest name and the most dimensions.
HostileFile large_tensor() {
  IndexDraft draft;
  draft.tensor(std::string(1024, 'n'), DType::kUInt8, std::vector<std::int64_t>(64, 1));
  return HostileFile::from(draft);
}

void add_roots(Goldens& all) {
  all.push_back(content("identifier", "F-30", "another file identifier",
                        [](HostileFile& f) { f.index.identifier = "INGY"; }));
  all.push_back(patched("identifier_zero", "F-30", "no file identifier",
                        [](IndexPatch& i) { i.set<std::uint32_t>(4, 0); }));
  all.push_back(patched("root_0", "F-30", "a root that is the buffer's start",
                        [](IndexPatch& i) { i.set<std::uint32_t>(0, 0); }));
  all.push_back(patched("root_odd", "F-30", "a root off its alignment", [](IndexPatch& i) {
    i.set<std::uint32_t>(0, static_cast<std::uint32_t>(i.root() + 2));
  }));
  all.push_back(patched("root_beyond", "F-30", "a root behind the end", [](IndexPatch& i) {
    i.set<std::uint32_t>(0, static_cast<std::uint32_t>(i.size()));
  }));
  all.push_back(patched(
      "root_at_end", "F-30", "a root whose vtable offset is cut",
      [](IndexPatch& i) { i.set<std::uint32_t>(0, static_cast<std::uint32_t>(i.size() - 2)); }));
  all.push_back(patched("root_2_31", "F-30", "a root at 2^31",
                        [](IndexPatch& i) { i.set<std::uint32_t>(0, 0x80000000); }));
  all.push_back(patched("root_max", "F-30", "a root at 2^32 - 1",
                        [](IndexPatch& i) { i.set<std::uint32_t>(0, 0xFFFFFFFF); }));
  all.push_back(rewritten("zeros", "F-30", "an index of zeros",
                          [](FileBytes& b) { b.assign(b.size(), std::byte{0}); }));
  all.push_back(rewritten("ones", "F-30", "an index of ones",
                          [](FileBytes& b) { b.assign(b.size(), std::byte{0xFF}); }));
  all.push_back(
      rewritten("8_bytes", "F-30", "the shortest index", [](FileBytes& b) { b.resize(8); }));
  all.push_back(rewritten(
      "cut_by_1", "F-30", "the last byte of a shape missing", [](FileBytes& b) { b.pop_back(); },
      large_tensor));
  all.push_back(rewritten("cut_in_half", "F-30", "the second half missing",
                          [](FileBytes& b) { b.resize(b.size() / 2); }));
}

void add_tables(Goldens& all) {
  all.push_back(patched("vtable_before_start", "F-30", "a vtable before the buffer",
                        [](IndexPatch& i) { i.set<std::int32_t>(i.root(), 1 << 20); }));
  all.push_back(patched("vtable_after_end", "F-30", "a vtable behind the buffer",
                        [](IndexPatch& i) { i.set<std::int32_t>(i.root(), -(1 << 20)); }));
  all.push_back(patched("vtable_min", "F-30", "a vtable offset of -2^31",
                        [](IndexPatch& i) { i.set<std::uint32_t>(i.root(), 0x80000000); }));
  all.push_back(patched("vtable_unaligned", "F-30", "a vtable at an odd position",
                        [](IndexPatch& i) { i.set(i.root(), i.get<std::int32_t>(i.root()) - 1); }));
  all.push_back(patched("vtable_odd", "F-30", "a vtable of odd length",
                        [](IndexPatch& i) { i.set<std::uint16_t>(i.vtable(i.root()), 13); }));
  all.push_back(
      patched("vtable_too_long", "F-30", "a vtable that leaves the buffer",
              [](IndexPatch& i) { i.set<std::uint16_t>(i.vtable(i.tensor(6)), 0xFFFE); }));
  all.push_back(patched("vtable_too_short", "F-30", "a vtable without its required fields",
                        [](IndexPatch& i) { i.set<std::uint16_t>(i.vtable(i.root()), 4); }));
  all.push_back(patched("field_beyond", "F-30", "a field behind the buffer",
                        [](IndexPatch& i) { i.set<std::uint16_t>(i.entry(i.root(), 5), 0xFFFC); }));
  all.push_back(patched("field_unaligned", "F-30", "a reference off its alignment",
                        [](IndexPatch& i) { i.set<std::uint16_t>(i.entry(i.root(), 0), 6); }));
  all.push_back(
      patched("scalar_unaligned", "F-30", "a storage number off its alignment", [](IndexPatch& i) {
        const std::size_t entry = i.entry(i.tensor(1), 4);
        i.set<std::uint16_t>(entry, static_cast<std::uint16_t>(i.get<std::uint16_t>(entry) + 2));
      }));
}

void add_references(Goldens& all) {
  all.push_back(patched("reference_0", "F-30", "a reference to itself",
                        [](IndexPatch& i) { i.set<std::uint32_t>(i.field(i.root(), 0), 0); }));
  all.push_back(
      patched("reference_beyond", "F-30", "a reference behind the end",
              [](IndexPatch& i) { i.set<std::uint32_t>(i.field(i.root(), 1), 1 << 20); }));
  all.push_back(patched("reference_max", "F-30", "a reference of 2^32 - 1", [](IndexPatch& i) {
    i.set<std::uint32_t>(i.field(i.root(), 2), 0xFFFFFFFF);
  }));
  all.push_back(
      patched("reference_unaligned", "F-30", "a vector off its alignment", [](IndexPatch& i) {
        const std::size_t at = i.field(i.root(), 3);
        i.set<std::uint32_t>(at, i.get<std::uint32_t>(at) + 1);
      }));
  all.push_back(
      patched("tensor_reference_beyond", "F-30", "a tensor behind the end",
              [](IndexPatch& i) { i.set<std::uint32_t>(i.element(i.tensors(), 0), 0x7FFFFFF0); }));
  all.push_back(patched("tensor_reference_unaligned", "F-30", "a tensor off its alignment",
                        [](IndexPatch& i) {
                          const std::size_t at = i.element(i.tensors(), 0);
                          i.set<std::uint32_t>(at, i.get<std::uint32_t>(at) + 2);
                        }));
  all.push_back(
      patched("vector_too_long", "F-30", "an element more than the buffer holds (CVE-2024-21802)",
              [](IndexPatch& i) {
                i.set<std::uint32_t>(i.tensors(), static_cast<std::uint32_t>(i.size() / 4));
              }));
  all.push_back(patched("vector_2_31", "F-30", "2^31 elements", [](IndexPatch& i) {
    i.set<std::uint32_t>(i.part(i.root(), 1), 0x80000000);
  }));
  all.push_back(
      patched("vector_wraps", "F-30", "elements whose bytes wrap 32 bits to 32 (CVE-2024-21836)",
              [](IndexPatch& i) { i.set<std::uint32_t>(i.part(i.root(), 1), (1U << 27) + 1); }));
  all.push_back(patched("vector_max", "F-30", "2^32 - 1 elements", [](IndexPatch& i) {
    i.set<std::uint32_t>(i.part(i.root(), 2), 0xFFFFFFFF);
  }));
  all.push_back(
      patched("string_too_long", "F-30", "a name longer than the buffer (CVE-2024-23496)",
              [](IndexPatch& i) { i.set<std::uint32_t>(i.part(i.tensor(0), 0), 1 << 20); }));
  all.push_back(patched("string_max", "F-30", "a name of 2^32 - 1 bytes", [](IndexPatch& i) {
    i.set<std::uint32_t>(i.part(i.tensor(0), 0), 0xFFFFFFFF);
  }));
  all.push_back(
      patched("string_unterminated", "F-30", "a name without its zero byte", [](IndexPatch& i) {
        const std::size_t name = i.part(i.tensor(0), 0);
        i.set<std::uint8_t>(name + 4 + i.get<std::uint32_t>(name), 'x');
      }));
}

void add_required(Goldens& all) {
  const char* const names[] = {"tensors", "storages", "name_hashes", "name_tensors"};
  for (std::size_t id = 0; id < 4; ++id) {
    all.push_back(patched(std::string("without_") + names[id], "F-30",
                          std::string(names[id]) + " is missing",
                          [id](IndexPatch& i) { i.set<std::uint16_t>(i.entry(i.root(), id), 0); }));
  }
  all.push_back(content("tensor_without_name", "F-30", "a tensor without a name",
                        [](HostileFile& f) { f.index.tensors[0].name.reset(); }));
  all.push_back(
      patched("attachment_without_name", "F-30", "an attachment without a name", [](IndexPatch& i) {
        i.set<std::uint16_t>(i.entry(i.follow(i.element(i.part(i.root(), 4), 0)), 0), 0);
      }));
  all.push_back(patched("attachment_without_media_type", "F-30",
                        "an attachment without a media type", [](IndexPatch& i) {
                          i.set<std::uint16_t>(
                              i.entry(i.follow(i.element(i.part(i.root(), 4), 0)), 1), 0);
                        }));
  all.push_back(
      patched("state_without_nodes", "F-30", "a state tree without nodes",
              [](IndexPatch& i) { i.set<std::uint16_t>(i.entry(i.part(i.root(), 5), 0), 0); }));
  all.push_back(patched("blob_without_data", "F-30", "a blob without data", [](IndexPatch& i) {
    const std::size_t blobs = i.part(i.part(i.root(), 5), 2);
    i.set<std::uint16_t>(i.entry(i.follow(i.element(blobs, 0)), 0), 0);
  }));
  all.push_back(
      content("files", "F-35", "a file table without the feature bit", [](HostileFile& f) {
        f.index.files.emplace().push_back({"../../etc/passwd", 1, 2, 3});
      }));
  all.push_back(content("files_empty", "F-35", "no other files, said with a vector",
                        [](HostileFile& f) { f.index.files.emplace(); }));
}

// Everything behind the identifier moved four bytes on: FlatBuffers count alignment from the start.
void shift_by_4(FileBytes& index) {
  index.insert(index.begin() + 8, 4, std::byte{0});
  IndexPatch patch(index);
  patch.set<std::uint32_t>(0, static_cast<std::uint32_t>(patch.root() + 4));
}

void repeat_names(HostileIndex& index, std::uint32_t times) {
  index.repeat_tensor = times;
  index.name_hashes->insert(index.name_hashes->end(), times, index.name_hashes->back());
  index.name_tensors->insert(index.name_tensors->end(), times, 0);
}

void add_aliases(Goldens& all) {
  all.push_back(content(
      "one_tensor_1000_times", "F-32", "a thousand tensors that are one",
      [](HostileFile& f) { repeat_names(f.index, 1000); }, large_tensor));
  all.push_back(content(
      "one_tensor_twice", "F-32", "two tensors that are one",
      [](HostileFile& f) { repeat_names(f.index, 1); }, large_tensor));
  all.push_back(content("too_many_tables", "F-30", "one table as 3007 tensors",
                        [](HostileFile& f) { f.index.repeat_tensor = 3000; }));
  all.push_back(content(
      "one_string_100_times", "F-32",
      "a list of one string, a hundred times: a bomb without compression",
      [](HostileFile& f) {
        HostileIndex::StateTree& t = f.index.state.emplace();
        t.strings = {std::string(4000, 's')};
        f.index.repeat_string = 99;
        t.nodes.push_back({.kind = 6, .children = 100, .value = 100});
        for (std::uint64_t i = 0; i < 100; ++i) t.nodes.push_back({.kind = 4, .value = i});
      },
      HostileFile::minimal));
  all.push_back(content(
      "one_blob_100_times", "F-32", "a list of the same bytes, a hundred times",
      [](HostileFile& f) {
        HostileIndex::StateTree& t = f.index.state.emplace();
        t.blobs = {std::string(4000, '\0')};
        f.index.repeat_blob = 99;
        t.nodes.push_back({.kind = 7, .children = 100, .value = 100});
        for (std::uint64_t i = 0; i < 100; ++i) t.nodes.push_back({.kind = 5, .value = i});
      },
      HostileFile::minimal));
  all.push_back(content(
      "one_shape_40_times", "F-32", "forty tensors with one shape of 64 dimensions",
      [](HostileFile& f) { f.index.share_shapes = true; },
      [] {
        IndexDraft draft;
        for (int i = 0; i < 40; ++i)
          draft.tensor(std::to_string(i), DType::kUInt8, std::vector<std::int64_t>(64, 1));
        return HostileFile::from(draft);
      }));
}

// A reference moved on by four bytes: what was the first element's low half is the length.
InvalidGolden misaligned(std::string name, std::string why,
                         std::size_t (*reference)(const IndexPatch&)) {
  return patched("misaligned_" + name, "F-31", std::move(why), [reference](IndexPatch& i) {
    const std::size_t at = reference(i);
    i.set<std::uint32_t>(at, i.get<std::uint32_t>(at) + 4);
  });
}

void add_alignment(Goldens& all) {
  all.push_back(rewritten("misaligned_all", "F-31",
                          "all vectors of 64-bit numbers off by four bytes", shift_by_4));
  all.push_back(misaligned("shape", "a shape off by four bytes",
                           [](const IndexPatch& i) { return i.field(i.tensor(0), 6); }));
  all.push_back(misaligned("strides", "strides off by four bytes",
                           [](const IndexPatch& i) { return i.field(i.tensor(5), 7); }));
  all.push_back(misaligned("nodes", "nodes off by four bytes",
                           [](const IndexPatch& i) { return i.field(i.part(i.root(), 5), 0); }));
}

void add_canonical(Goldens& all) {
  all.push_back(rewritten("trailing_zeros", "F-38", "eight zero bytes behind the last part",
                          [](FileBytes& b) { b.resize(b.size() + 8); }));
  all.push_back(rewritten("trailing_bytes", "F-38", "eight bytes behind the last part",
                          [](FileBytes& b) { b.resize(b.size() + 8, std::byte{0x42}); }));
  all.push_back(
      rewritten("gap", "F-38", "eight zero bytes before the first part", [](FileBytes& b) {
        b.insert(b.begin() + 8, 8, std::byte{0});
        IndexPatch patch(b);
        patch.set<std::uint32_t>(0, static_cast<std::uint32_t>(patch.root() + 8));
      }));
  all.push_back(
      patched("padding_set", "F-38", "a byte of padding behind a name",
              [](IndexPatch& i) { i.set<std::uint8_t>(i.part(i.tensor(0), 0) + 4 + 9, 1); }));
  all.push_back(patched("zero_written", "F-38", "a scalar that is zero and written",
                        [](IndexPatch& i) { i.set<std::uint8_t>(i.field(i.tensor(0), 3), 0); }));
  all.push_back(patched(
      "inline_length", "F-38", "a vtable that lies about its table's length", [](IndexPatch& i) {
        const std::size_t at = i.vtable(i.root()) + 2;
        i.set<std::uint16_t>(at, static_cast<std::uint16_t>(i.get<std::uint16_t>(at) + 4));
      }));
  all.push_back(content(
      "shared_shape", "F-38", "two tensors with one vector for both shapes",
      [](HostileFile& f) { f.index.share_shapes = true; },
      [] {
        IndexDraft draft;
        draft.tensor("a", DType::kUInt8, {3});
        draft.tensor("b", DType::kUInt8, {3});
        return HostileFile::from(draft);
      }));
  all.push_back(rewritten("later_field", "F-38", "a field that version 1.0 does not have",
                          [](FileBytes& b) { b = with_later_field(b); }));
}

}  // namespace

Goldens invalid_flatbuffer() {
  Goldens all;
  add_roots(all);
  add_tables(all);
  add_references(all);
  add_required(all);
  add_alignment(all);
  add_aliases(all);
  add_canonical(all);
  return all;
}

}  // namespace ingot::golden
