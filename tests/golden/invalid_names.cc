// Names and their index: malformed text, duplicates, and hashes that lie.
#include <cstdint>
#include <string>
#include <utility>

#include "tests/golden/colliding_names.h"
#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace {

using ingot::testing::IndexDraft;

InvalidGolden name(std::string file, std::string why, std::string text) {
  return hostile("name_" + file, "F-50", std::move(why),
                 [text = std::move(text)](HostileFile& f) { f.index.rename(0, text); });
}

InvalidGolden index(std::string file, std::string rule, std::string why,
                    void (*edit)(HostileIndex&)) {
  return hostile("name_index_" + file, std::move(rule), std::move(why),
                 [edit](HostileFile& f) { edit(f.index); });
}

void add_text(Goldens& all) {
  all.push_back(name("empty", "an empty name", ""));
  all.push_back(name("1025_bytes", "a name of 1025 bytes", std::string(1025, 'n')));
  all.push_back(
      name("1025_in_utf8", "1024 characters of 1025 bytes", std::string(1023, 'n') + "\xC3\xA9"));
  all.push_back(name("65536_bytes", "a name of 64 KiB (CVE-2024-23496)", std::string(65536, 'n')));
  all.push_back(name("nul", "a name that is one NUL", std::string(1, '\0')));
  all.push_back(
      name("nul_inside", "a name with a NUL inside, shorter for C", std::string("a\0b", 3)));
  all.push_back(name("nul_at_end", "a name with a NUL at its end", std::string("a\0", 2)));
  all.push_back(name("newline", "a name with a line end", "a\nb"));
  all.push_back(name("tab", "a name with a tab", "a\tb"));
  all.push_back(name("escape", "a name that would move a terminal's cursor", "a\x1B[2Jb"));
  all.push_back(name("unit_separator", "the last control character", "a\x1F"));
  all.push_back(name("delete", "U+007F", "a\x7F"));
}

void add_utf8(Goldens& all) {
  all.push_back(name("utf8_continuation", "a continuation byte alone", "a\x80"));
  all.push_back(name("utf8_lead_alone", "a lead byte alone", "\xC3"));
  all.push_back(name("utf8_lead_then_ascii", "a lead byte before ASCII", "\xC3("));
  all.push_back(name("utf8_overlong_2", "U+0000 in two bytes", "\xC0\x80"));
  all.push_back(name("utf8_overlong_slash", "a slash in two bytes",
                     "a\xC0\xAF"
                     "b"));
  all.push_back(name("utf8_overlong_c1", "U+007F in two bytes", "\xC1\xBF"));
  all.push_back(name("utf8_overlong_3", "U+07FF in three bytes", "\xE0\x9F\xBF"));
  all.push_back(name("utf8_overlong_4", "U+FFFF in four bytes", "\xF0\x8F\xBF\xBF"));
  all.push_back(name("utf8_surrogate_high", "half of a surrogate pair", "\xED\xA0\x80"));
  all.push_back(name("utf8_surrogate_low", "the other half", "\xED\xBF\xBF"));
  all.push_back(
      name("utf8_surrogate_pair", "a surrogate pair (CESU-8)", "\xED\xA0\xBD\xED\xB8\x80"));
  all.push_back(name("utf8_beyond_unicode", "U+110000", "\xF4\x90\x80\x80"));
  all.push_back(name("utf8_five_bytes", "a lead byte of five", "\xF8\x88\x80\x80\x80"));
  all.push_back(name("utf8_fe", "0xFE", "\xFE"));
  all.push_back(name("utf8_ff", "0xFF", "\xFF"));
  all.push_back(name("utf8_cut_3", "two of three bytes", "a\xE2\x82"));
  all.push_back(name("utf8_cut_4", "three of four bytes", "a\xF0\x9F\xA6"));
  all.push_back(name("latin_1", "a name in ISO 8859-1", "Z\xFCrich"));
}

HostileFile nine_colliding() {
  IndexDraft draft;
  for (const std::string& name : colliding_names(9)) draft.tensor(name, DType::kUInt8, {1});
  return HostileFile::from(draft);
}

void add_index(Goldens& all) {
  all.push_back(index("hash_missing", "F-70", "a hash less than names",
                      [](HostileIndex& i) { i.name_hashes->pop_back(); }));
  all.push_back(index("hash_too_many", "F-70", "a hash more than names",
                      [](HostileIndex& i) { i.name_hashes->push_back(~std::uint64_t{0}); }));
  all.push_back(index("tensor_missing", "F-70", "a hash without a tensor",
                      [](HostileIndex& i) { i.name_tensors->pop_back(); }));
  all.push_back(index("tensor_too_many", "F-70", "a tensor without a hash",
                      [](HostileIndex& i) { i.name_tensors->push_back(0); }));
  all.push_back(index("empty", "F-70", "no hashes for seven tensors", [](HostileIndex& i) {
    i.name_hashes->clear();
    i.name_tensors->clear();
  }));
  all.push_back(index("tensor_beyond", "F-71", "a tensor just beyond the last",
                      [](HostileIndex& i) { i.name_tensors->back() = 7; }));
  all.push_back(index("tensor_max", "F-71", "tensor 2^32 - 1 (CVE-2024-21802)",
                      [](HostileIndex& i) { i.name_tensors->front() = 0xFFFFFFFF; }));
  all.push_back(index("unsorted", "F-71", "two entries in the wrong order", [](HostileIndex& i) {
    std::swap((*i.name_hashes)[2], (*i.name_hashes)[3]);
    std::swap((*i.name_tensors)[2], (*i.name_tensors)[3]);
  }));
  all.push_back(index("descending", "F-71", "all entries in descending order", [](HostileIndex& i) {
    std::reverse(i.name_hashes->begin(), i.name_hashes->end());
    std::reverse(i.name_tensors->begin(), i.name_tensors->end());
  }));
  all.push_back(index("duplicate_name", "F-71", "two tensors of one name",
                      [](HostileIndex& i) { i.rename(1, "a.weight"); }));
  all.push_back(index("all_one_name", "F-71", "all tensors of one name", [](HostileIndex& i) {
    for (auto& tensor : i.tensors) tensor.name = "a";
    i.fix_names();
  }));
  all.push_back(
      index("entry_twice", "F-71", "one entry twice, another missing", [](HostileIndex& i) {
        (*i.name_hashes)[1] = (*i.name_hashes)[0];
        (*i.name_tensors)[1] = (*i.name_tensors)[0];
      }));
  all.push_back(index("wrong_hash", "F-72", "a hash that is one too large",
                      [](HostileIndex& i) { i.name_hashes->back() += 1; }));
  all.push_back(index("hash_zero", "F-72", "a hash of zero",
                      [](HostileIndex& i) { i.name_hashes->front() = 0; }));
  all.push_back(
      index("tensors_swapped", "F-72", "two tensors under each other's hash",
            [](HostileIndex& i) { std::swap((*i.name_tensors)[0], (*i.name_tensors)[1]); }));
  all.push_back(hostile(
      "name_index_nine_collide", "F-73", "nine names that share a hash", [](HostileFile&) {},
      nine_colliding));
  all.push_back(hostile(
      "name_index_run_unsorted", "F-71", "names that share a hash, not in order of the names",
      [](HostileFile& f) { std::swap((*f.index.name_tensors)[3], (*f.index.name_tensors)[4]); },
      nine_colliding));
}

}  // namespace

Goldens invalid_names() {
  Goldens all;
  add_text(all);
  add_utf8(all);
  add_index(all);
  return all;
}

}  // namespace ingot::golden
