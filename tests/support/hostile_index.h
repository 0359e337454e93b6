// Files that no writer would write, with every digest right: for tests, goldens and fuzzing of what
// lies behind the digests.
//
//   HostileFile file = HostileFile::rich();             // valid
//   file.index.tensors[0].shape = {-1};                 // now it is not
//   std::vector<std::byte> bytes = file.assemble();
//   Status status = file.validate_index();
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ingot/checkpoint.h"

#include "format/header.h"
#include "format/index_model.h"
#include "tests/support/index_plan.h"

namespace ingot::testing {

// Every field of the schema, to be set to anything. Nothing is checked, sorted or recomputed, but
// by fix_names().
struct HostileIndex {
  struct Storage {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first_chunk = 0;
    std::uint32_t file = 0;
    std::uint8_t role = 1;
    std::uint8_t reserved0 = 0;
    std::uint16_t reserved1 = 0;
  };
  struct Quantization {
    std::uint8_t scheme = 1;
    double scale = 1.0;
    std::int64_t zero_point = 0;
    std::int32_t axis = 0;
    std::uint32_t scales = 0;
    std::uint32_t zero_points = 0;
  };
  struct Piece {
    std::vector<std::uint64_t> offsets;
    std::vector<std::uint64_t> sizes;
    std::uint32_t storage = 0;
    std::uint64_t byte_offset = 0;
    std::vector<std::int64_t> strides;
  };
  struct Tensor {
    std::optional<std::string> name;  // unset: the required field is missing
    std::uint8_t dtype = 2;
    std::uint8_t role = 1;
    std::uint8_t requires_grad = 0;
    std::uint32_t storage = 0;
    std::uint64_t byte_offset = 0;
    std::optional<std::vector<std::int64_t>> shape;
    std::optional<std::vector<std::int64_t>> strides;
    std::optional<Quantization> quantization;
    std::optional<std::vector<Piece>> pieces;
  };
  struct StateNode {
    std::uint8_t kind = 0;
    std::uint8_t key_kind = 0;
    std::uint16_t reserved = 0;
    std::uint32_t children = 0;
    std::uint64_t key = 0;
    std::uint64_t value = 0;
  };
  struct StateTree {
    std::vector<StateNode> nodes;
    std::optional<std::vector<std::string>> strings;
    std::optional<std::vector<std::string>> blobs;
  };
  struct Attachment {
    std::string name;
    std::string media_type;
    std::uint32_t storage = 0;
  };
  struct File {
    std::string name;
    std::uint64_t bytes = 0;
    std::uint64_t root_low = 0;
    std::uint64_t root_high = 0;
  };

  std::vector<Tensor> tensors;
  std::vector<Storage> storages;
  std::optional<std::vector<std::uint64_t>> name_hashes;  // unset: the required field is missing
  std::optional<std::vector<std::uint32_t>> name_tensors;
  std::optional<std::vector<Attachment>> attachments;
  std::optional<StateTree> state;
  std::optional<std::vector<File>> files;

  // What the encoding itself does wrong.
  std::string identifier = "INGX";  // 4 bytes
  std::uint32_t repeat_tensor = 0;  // more references to the last tensor's table
  std::uint32_t repeat_string = 0;  // more references to the state's last string
  std::uint32_t repeat_blob = 0;    // more references to the state's last blob
  bool share_shapes = false;        // equal shapes and strides become one vector
  // Elements of 8 bytes lie at odd multiples of 4: those of shapes and strides, of storages, of the
  // state's nodes.
  bool misalign_shapes = false;
  bool misalign_storages = false;
  bool misalign_nodes = false;

  static HostileIndex from(const format::IndexModel& model);
  // Recomputes name_hashes and name_tensors from the tensors' names.
  void fix_names();
  // Adds or replaces the tensor's name and recomputes the hashes.
  void rename(std::size_t tensor, std::string name);
  std::vector<std::byte> encode() const;
};

// A whole file around a HostileIndex. What is not set is computed as a writer would.
struct HostileFile {
  HostileIndex index;
  // Takes the place of the encoded `index`.
  std::optional<std::vector<std::byte>> raw_index;
  std::vector<std::byte> data;  // the file's bytes from offset 4096 on; its end is data_end
  // chunk_log2, alignment_log2, versions and feature bits are taken from here.
  format::Header header;
  // Last changes: of fields before root and digest are computed; of the page before its digest is.
  std::function<void(format::Header&)> edit_header;
  std::function<void(MutableBytes)> edit_page;

  static HostileFile from(const IndexDraft& draft);
  static HostileFile rich();     // rich_draft()
  static HostileFile minimal();  // no tensor at all

  std::vector<std::byte> index_bytes() const;
  // The header that goes with the index, edit_header applied; root is computed, edit_page ignored.
  format::Header make_header() const;
  // The whole file. Digests of chunks cover what `index.storages` say of `data`, clamped to it.
  std::vector<std::byte> assemble() const;
  // format::validate_index() on the index and its header, in aligned memory of its own.
  Status validate_index(const Limits& limits = {}) const;
};

// Runs format::validate_index() on a copy in memory that is aligned to 16 and ends with the index.
Status validate_index_copy(Bytes index, const format::Header& header, const Limits& limits = {});

// Puts second-hand digests right after a change of header bytes: the page's own.
void seal_header(MutableBytes page);

}  // namespace ingot::testing
