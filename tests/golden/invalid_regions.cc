// Regions after the header: truncation at every boundary, bytes too many, and damage to digest
// table, index and the padding between them.
#include <cstdint>
#include <string>

#include "format/constants.h"
#include "tests/fuzz/fix_digests.h"
#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace {

// The file cut where `length` says; a length beyond the end appends zeros.
InvalidGolden cut(std::string name, std::string why, std::size_t (*length)(const Draft&)) {
  return damaged(std::move(name), Code::kTruncated, "F-18", std::move(why),
                 [length](Draft& draft) { draft.resize(length(draft)); });
}

void add_truncations(Goldens& all) {
  all.push_back(
      cut("truncated_to_0", "an empty file", [](const Draft&) -> std::size_t { return 0; }));
  all.push_back(cut("truncated_to_1", "one byte", [](const Draft&) -> std::size_t { return 1; }));
  all.push_back(
      cut("truncated_in_magic", "seven bytes", [](const Draft&) -> std::size_t { return 7; }));
  all.push_back(cut("truncated_after_magic", "the magic alone",
                    [](const Draft&) -> std::size_t { return 8; }));
  all.push_back(cut("truncated_in_header", "half a header",
                    [](const Draft&) -> std::size_t { return 2048; }));
  all.push_back(cut("truncated_before_data", "the header alone",
                    [](const Draft&) -> std::size_t { return 4096; }));
  all.push_back(cut("truncated_in_data", "header and half the data",
                    [](const Draft&) -> std::size_t { return 4096 + 12; }));
  all.push_back(cut("truncated_8191", "one byte short of two pages",
                    [](const Draft&) -> std::size_t { return 8191; }));
  all.push_back(cut("truncated_before_digests", "no digest table",
                    [](const Draft& d) { return d.digests_begin(); }));
  all.push_back(cut("truncated_in_digests", "half a digest",
                    [](const Draft& d) { return d.digests_begin() + 8; }));
  all.push_back(
      cut("truncated_before_index", "no index", [](const Draft& d) { return d.index_begin(); }));
  all.push_back(cut("truncated_in_index", "half an index",
                    [](const Draft& d) { return (d.index_begin() + d.index_end()) / 2; }));
  all.push_back(cut("truncated_after_index", "cut behind the index",
                    [](const Draft& d) { return d.index_end(); }));
  all.push_back(cut("truncated_before_second_header", "no second header",
                    [](const Draft& d) { return d.size() - 4096; }));
  all.push_back(cut("truncated_in_second_header", "half a second header",
                    [](const Draft& d) { return d.size() - 2048; }));
  all.push_back(
      cut("truncated_by_1", "the last byte missing", [](const Draft& d) { return d.size() - 1; }));
  all.push_back(
      cut("extended_by_1", "one byte too many", [](const Draft& d) { return d.size() + 1; }));
  all.push_back(
      cut("extended_by_4096", "a page too many", [](const Draft& d) { return d.size() + 4096; }));
  all.push_back(damaged("extended_by_second_header", Code::kTruncated, "F-18",
                        "the last page twice", [](Draft& d) {
                          d.resize(d.size() + 4096);
                          std::memcpy(d.second_header().data(), d.header().data(), 4096);
                        }));
}

// One bit of a byte that has a place in a region.
InvalidGolden flip(std::string name, std::string rule, std::string why,
                   std::size_t (*where)(const Draft&)) {
  return damaged("flip_" + name, Code::kCorrupt, std::move(rule), std::move(why),
                 [where](Draft& draft) { draft.file()[where(draft)] ^= std::byte{0x40}; });
}

void add_flips(Goldens& all) {
  all.push_back(flip("digests_first", "F-20", "first byte of the digest table",
                     [](const Draft& d) { return d.digests_begin(); }));
  all.push_back(flip("digests_last", "F-20", "last byte of the digest table",
                     [](const Draft& d) { return d.digests_end() - 1; }));
  all.push_back(flip("index_first", "F-21", "first byte of the index",
                     [](const Draft& d) { return d.index_begin(); }));
  all.push_back(flip("index_identifier", "F-21", "the index's identifier",
                     [](const Draft& d) { return d.index_begin() + 4; }));
  all.push_back(flip("index_middle", "F-21", "a byte of the index",
                     [](const Draft& d) { return (d.index_begin() + d.index_end()) / 2; }));
  all.push_back(flip("index_last", "F-21", "last byte of the index",
                     [](const Draft& d) { return d.index_end() - 1; }));
  all.push_back(flip("padding_after_data", "F-19", "first byte of the padding behind the data",
                     [](const Draft& d) { return d.data_end(); }));
  all.push_back(flip("padding_before_digests", "F-19", "last byte of the padding behind the data",
                     [](const Draft& d) { return d.digests_begin() - 1; }));
  all.push_back(flip("padding_after_digests", "F-19",
                     "first byte of the padding behind the digest table",
                     [](const Draft& d) { return d.digests_end(); }));
  all.push_back(flip("padding_before_index", "F-19",
                     "last byte of the padding behind the digest table",
                     [](const Draft& d) { return d.index_begin() - 1; }));
  all.push_back(flip("padding_after_index", "F-19", "first byte of the padding behind the index",
                     [](const Draft& d) { return d.index_end(); }));
  all.push_back(flip("padding_before_second_header", "F-19",
                     "last byte of the padding behind the index",
                     [](const Draft& d) { return d.size() - 4097; }));
}

void add_pages(Goldens& all) {
  all.push_back(damaged("digests_zeroed", Code::kCorrupt, "F-20", "the digest table's page zeroed",
                        [](Draft& d) { std::memset(d.digests().data(), 0, d.digests().size()); }));
  all.push_back(damaged("index_zeroed", Code::kCorrupt, "F-21", "the index's page zeroed",
                        [](Draft& d) { std::memset(d.index().data(), 0, d.index().size()); }));
  all.push_back(damaged(
      "digests_and_index_swapped", Code::kCorrupt, "F-21",
      "two pages written to each other's place", [](Draft& d) {
        std::swap_ranges(d.file().begin() + static_cast<std::ptrdiff_t>(d.digests_begin()),
                         d.file().begin() + static_cast<std::ptrdiff_t>(d.digests_begin() + 4096),
                         d.file().begin() + static_cast<std::ptrdiff_t>(d.index_begin()));
      }));
  all.push_back(damaged(
      "index_stale", Code::kCorrupt, "F-21", "the index's page of another save", [](Draft& d) {
        Draft other(valid_file("zero_dim"));
        const MutableBytes stale = other.index();
        std::memset(d.index().data(), 0, d.index().size());
        std::memcpy(d.index().data(), stale.data(), std::min(d.index().size(), stale.size()));
      }));
}

}  // namespace

Goldens invalid_regions() {
  Goldens all;
  add_truncations(all);
  add_flips(all);
  add_pages(all);
  return all;
}

}  // namespace ingot::golden
