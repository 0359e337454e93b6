// Data and what proves it: damaged storages, padding that is not zero, and digests of other bytes.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "format/constants.h"
#include "format/digest.h"
#include "tests/fuzz/fix_digests.h"
#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace {

namespace at = format::header_at;
using ingot::testing::IndexDraft;

// Two storages of 8192 bytes, and an attachment of 100.
FileBytes two_large() {
  IndexDraft draft;
  draft.tensor("first", DType::kUInt8, {8192});
  draft.tensor("second", DType::kUInt8, {8192});
  draft.attachment("readme.txt", "text/plain", 100);
  HostileFile file = HostileFile::from(draft);
  std::uint32_t x = 1;
  for (std::byte& b : file.data) {
    x = x * 1664525U + 1013904223U;
    b = static_cast<std::byte>(x >> 24);
  }
  return file.assemble();
}

InvalidGolden data(std::string name, std::string why, Edit edit) {
  return damaged_file("data_" + name, Code::kChecksumMismatch, "F-22", std::move(why),
                      std::move(edit), two_large);
}

void add_chunks(Goldens& all) {
  all.push_back(data("flip_first", "the first bit of the first tensor",
                     [](Draft& d) { d.data()[0] ^= std::byte{1}; }));
  all.push_back(data("flip_middle", "a bit of the second tensor",
                     [](Draft& d) { d.data()[8192 + 4000] ^= std::byte{16}; }));
  all.push_back(data("flip_last", "the last bit of the attachment",
                     [](Draft& d) { d.data()[d.data().size() - 1] ^= std::byte{128}; }));
  all.push_back(
      data("burst", "eight bits in a row", [](Draft& d) { d.data()[5000] ^= std::byte{0xFF}; }));
  all.push_back(data("page_zeroed", "a page that was never written",
                     [](Draft& d) { std::memset(&d.data()[4096], 0, 4096); }));
  all.push_back(data("sector_ones", "a sector of ones",
                     [](Draft& d) { std::memset(&d.data()[512], 0xFF, 512); }));
  all.push_back(data("zero_tail", "the second tensor's tail was never written",
                     [](Draft& d) { std::memset(&d.data()[8192 + 100], 0, 8092); }));
  all.push_back(
      data("pages_swapped", "two pages of one tensor in each other's place",
           [](Draft& d) { std::swap_ranges(&d.data()[0], &d.data()[4096], &d.data()[4096]); }));
  all.push_back(data("tensors_swapped", "two tensors in each other's place", [](Draft& d) {
    std::swap_ranges(&d.data()[0], &d.data()[8192], &d.data()[8192]);
  }));
  all.push_back(data("page_misdirected", "a page of the first tensor over one of the second",
                     [](Draft& d) { std::memcpy(&d.data()[8192 + 4096], &d.data()[0], 4096); }));
  all.push_back(data("attachment_zeroed", "an attachment of zeros",
                     [](Draft& d) { std::memset(&d.data()[16384], 0, 100); }));
  all.push_back(
      data("attacked", "data changed, everything but its digest recomputed", [](Draft& d) {
        d.data()[100] ^= std::byte{1};
        d.seal();
      }));
  all.push_back(data("digests_swapped", "two digests in each other's place, the table sealed again",
                     [](Draft& d) {
                       std::swap_ranges(&d.digests()[0], &d.digests()[16], &d.digests()[16]);
                       d.seal();
                     }));
  all.push_back(data("digest_zero", "a digest of zero, the table sealed again", [](Draft& d) {
    std::memset(&d.digests()[16], 0, 16);
    d.seal();
  }));
  all.push_back(damaged(
      "data_flip_last_chunk", Code::kChecksumMismatch, "F-22",
      "a bit of the third chunk of a tensor",
      [](Draft& d) { d.data()[2 * 65536 + 50] ^= std::byte{1}; }, "chunks"));
}

void add_padding(Goldens& all) {
  const auto padding = [](std::string name, std::string why, std::size_t from_begin) {
    return damaged(
        "padding_" + name, Code::kCorrupt, "F-19", std::move(why),
        [from_begin](Draft& d) { d.data()[from_begin] = std::byte{0x42}; }, "roles");
  };
  // "roles": two parameters of 32 bytes, buffers of 32 and 8 bytes, and so on: 8 bytes of padding
  // follow the 8 of num_batches_tracked.
  all.push_back(padding("between_first", "first byte of the padding between two storages", 96 + 8));
  all.push_back(padding("between_last", "last byte of the padding between two storages", 96 + 15));
  all.push_back(damaged("padding_attacked", Code::kCorrupt, "F-19",
                        "bytes hidden in padding, digests recomputed", [](Draft& d) {
                          std::memcpy(&d.file()[d.data_end() + 100], "#!/bin/sh", 9);
                          d.seal();
                        }));
  all.push_back(damaged("padding_polyglot", Code::kCorrupt, "F-19",
                        "the end of a ZIP archive behind the index: one file, two meanings",
                        [](Draft& d) {
                          std::memcpy(&d.file()[d.index_end() + 8], "PK\x05\x06", 4);
                          d.seal();
                        }));
}

// The root over the changed SHA-256 column, as an attacker would.
void fix_root_sha256(Draft& draft) {
  draft.seal();
  const std::size_t chunks = draft.digests().size() / 48;
  format::StreamingSha256 root;
  root.update(Bytes(draft.header()).first(at::kRoot));
  const Sha256 index = format::sha256(draft.index());
  const Sha256 column = format::sha256(Bytes(draft.digests()).subspan(16 * chunks));
  root.update(std::as_bytes(std::span(index)));
  root.update(std::as_bytes(std::span(column)));
  const Sha256 digest = root.finish();
  std::memcpy(&draft.header()[at::kRootSha256], digest.data(), digest.size());
  fuzz::fix_header(draft.header());
  std::memcpy(draft.second_header().data(), draft.header().data(), draft.header().size());
}

void add_sha256(Goldens& all) {
  const auto sha = [](std::string name, Code code, std::string rule, std::string why, Edit edit) {
    return damaged_file("sha256_" + name, code, std::move(rule), std::move(why), std::move(edit),
                        sha256_file);
  };
  all.push_back(sha("column_wrong", Code::kChecksumMismatch, "F-23",
                    "a SHA-256 of other bytes under a right root", [](Draft& d) {
                      d.digests()[40] ^= std::byte{1};
                      fix_root_sha256(d);
                    }));
  all.push_back(sha("column_swapped", Code::kChecksumMismatch, "F-23",
                    "two SHA-256 in each other's place under a right root", [](Draft& d) {
                      std::swap_ranges(&d.digests()[32], &d.digests()[64], &d.digests()[64]);
                      fix_root_sha256(d);
                    }));
  all.push_back(sha("column_flipped", Code::kCorrupt, "F-20", "a bit of the SHA-256 column",
                    [](Draft& d) { d.digests()[95] ^= std::byte{1}; }));
  all.push_back(
      sha("root_wrong", Code::kCorrupt, "F-16", "a SHA-256 root of something else", [](Draft& d) {
        d.header()[at::kRootSha256 + 7] ^= std::byte{1};
        fuzz::fix_header(d.header());
        std::memcpy(d.second_header().data(), d.header().data(), d.header().size());
      }));
  all.push_back(sha("root_stale", Code::kCorrupt, "F-16", "a SHA-256 column changed under its root",
                    [](Draft& d) {
                      d.digests()[40] ^= std::byte{1};
                      d.seal();
                    }));
  all.push_back(sha("data_attacked", Code::kChecksumMismatch, "F-23",
                    "data changed and its XXH3 recomputed: what SHA-256 is for", [](Draft& d) {
                      d.data()[0] ^= std::byte{1};
                      const Digest128 digest = format::xxh3_128(Bytes(d.data()).first(100));
                      store_le(d.digests(), 0, digest.low);
                      store_le(d.digests(), 8, digest.high);
                      fix_root_sha256(d);
                    }));
}

}  // namespace

Goldens invalid_data() {
  Goldens all;
  add_chunks(all);
  add_padding(all);
  add_sha256(all);
  return all;
}

}  // namespace ingot::golden
