// Checkpoint: an open file. Start here to read.
//
//   INGOT_ASSIGN_OR_RETURN(auto checkpoint, ingot::Checkpoint::open("model.ingot"));
//   INGOT_ASSIGN_OR_RETURN(auto weight, checkpoint.tensor("embed.weight"));
//
// open() copies index and digest table to private memory, checks them and the header (digests, then
// structure), and maps the file; it reads no tensor data. The digest table has 16 bytes for each
// chunk (1 MiB) of data, and is all that grows with it. After that, descriptions and views need no
// checks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/digest.h"
#include "ingot/progress.h"
#include "ingot/state.h"
#include "ingot/status.h"
#include "ingot/tensor.h"

namespace ingot {

namespace io {
class FileSystem;
}

// What open() accepts. Every number is a bound on what a file may claim; above it: Code::kRejected,
// before memory is allocated for it.
struct Limits {
  std::uint64_t max_index_bytes = (std::uint64_t{1} << 31) - 2;
  std::uint64_t max_tensors = std::uint64_t{1} << 24;
  // Enough for 128 TiB of data in chunks of 1 MiB (a third of it with SHA-256).
  std::uint64_t max_digest_table_bytes = std::uint64_t{1} << 31;
  // Index and digest table are copied to private memory. Together they may be no larger than this,
  // or than the space that the file takes on its file system if that is more: a sparse file, which
  // claims what nobody wrote, makes nobody allocate more than this.
  std::uint64_t max_unbacked_bytes = std::uint64_t{64} << 20;
};

struct OpenOptions {
  Limits limits = {};
  // Internal: Ingot's own tests put a double here, and its class is in no installed header. Null is
  // the operating system. Must outlive the checkpoint and all of its views.
  io::FileSystem* file_system = nullptr;
};

// Facts about the file as a whole.
struct FileInfo {
  std::string path;
  int format_major = 0;
  int format_minor = 0;
  std::uint64_t required_features = 0;
  std::uint64_t optional_features = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t data_begin = 0;  // the data region, file offsets
  std::uint64_t data_end = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t digest_table_bytes = 0;
  std::uint64_t chunk_bytes = 0;
  std::uint64_t alignment = 0;  // of large storages, in bytes
  std::array<std::uint8_t, 16> uuid{};
  std::array<std::uint8_t, 16> save_id{};
  Digest128 root;                     // equal roots mean equal files
  std::optional<Sha256> root_sha256;  // present when the writer was asked for it
};

// A named blob: config.json, a tokenizer, a TorchScript archive. Never executed by Ingot.
struct AttachmentInfo {
  std::string_view name;
  std::string_view media_type;  // RFC 6838, e.g. "application/json"
  std::uint32_t storage = 0;
  std::uint64_t bytes = 0;
};

// One index range per dimension; `end` is exclusive. Empty spans of a Slice mean the whole tensor.
struct Slice {
  std::vector<std::int64_t> begin;
  std::vector<std::int64_t> end;
};

enum class Verify : std::uint8_t {
  kYes,  // every chunk that is touched is hashed and compared before a byte of it is returned
  kNo,
};

// Which tensors an iteration visits, always in registration order. Empty fields match all.
struct TensorFilter {
  std::optional<Role> role = std::nullopt;
  std::string_view prefix = {};
};

// An open checkpoint: a cheap handle to shared, immutable state. Copies share it, and it lives as
// long as any handle or view. All const functions may be called from any number of threads.
//
// A TensorInfo is a plain value, and what takes one looks at the place that it names: storage,
// byte_offset and bytes. Give it descriptions of this checkpoint. Where this file has no such place
// the answer is kInvalidArgument; where it has, a description of another file's tensor is not
// noticed, and yields what lies there in this one.
class Checkpoint {
 public:
  // Errors: kNotFound, kIoError; kInvalidArgument for what is no regular file (a folder, a FIFO)
  // and for a path with a NUL byte; kTruncated when the length is not what the header says;
  // kCorrupt; kUnsupported for newer versions and unknown required features; kRejected for hostile
  // content and for what is over a limit; kResourceExhausted without memory for index or digest
  // table.
  // Blocks for the time it takes to read those two; large ones with a few threads, which end before
  // it returns.
  static Result<Checkpoint> open(std::string_view path, const OpenOptions& options = {});

  const FileInfo& file() const;

  // Tensors by ordinal are in registration order. REQUIRES: ordinal < tensor_count().
  std::uint32_t tensor_count() const;
  TensorInfo info(std::uint32_t ordinal) const;
  // By fully qualified name: about two cache misses, no allocation.
  std::optional<TensorInfo> find(std::string_view name) const;

  // Calls visit(TensorInfo) for every tensor that the filter admits.
  template <typename Visitor>
  void for_each(const TensorFilter& filter, Visitor&& visit) const {
    for (std::uint32_t i = 0, n = tensor_count(); i < n; ++i) {
      TensorInfo tensor = info(i);
      if (filter.role && tensor.role != *filter.role) continue;
      if (!tensor.name.starts_with(filter.prefix)) continue;
      visit(tensor);
    }
  }

  // REQUIRES: storage < storage_count().
  std::uint32_t storage_count() const;
  StorageInfo storage(std::uint32_t storage) const;
  // Stored digest of one chunk of the digest table. REQUIRES: chunk is below the table's length.
  Digest128 chunk_digest(std::uint64_t chunk) const;
  std::uint64_t chunk_count() const;
  // Digest of all of a storage's chunk digests: equal digests mean equal bytes (for equal chunk
  // size).
  Digest128 storage_digest(std::uint32_t storage) const;

  // Attachments in order of their names. REQUIRES: i < attachment_count().
  std::uint32_t attachment_count() const;
  AttachmentInfo attachment(std::uint32_t i) const;
  std::optional<AttachmentInfo> find_attachment(std::string_view name) const;

  // Root of the state tree; nullopt when the file has none.
  std::optional<StateView> state() const;

  // Zero-copy, read-only, and not verified: no data is read before the bytes are touched (tensor.h
  // says what a view trusts). kNotFound (tensor() alone); kInvalidArgument for a description
  // whose bytes this file does not have; kResourceExhausted when the file could not be mapped.
  Result<TensorView> tensor(std::string_view name) const;
  Result<TensorView> view(const TensorInfo& tensor) const;
  // Zero-copy until written: a private mapping of the tensor's own pages, as unverified. Errors:
  // those of view().
  Result<MutableTensorView> mutable_view(const TensorInfo& tensor) const;
  // One such mapping for all tensors and attachments. kResourceExhausted when the operating system
  // grants no mapping, kIoError when it cannot map this file.
  Result<MutableDataView> mutable_data() const;

  // Copies a tensor's bytes (TensorInfo::bytes of them) to memory of the caller, by read(2).
  // Blocks; uses the caller's thread alone. After an error the destination's content is
  // unspecified. Errors:
  //   kChecksumMismatch   names tensor, chunk, range, expected, found; others stay usable
  //   kIoError            the file could not be read, or was truncated meanwhile; with
  //                       Verify::kNo also when it was modified since the open
  //   kInvalidArgument    the destination is not TensorInfo::bytes long, or this file does not have
  //                       the description's bytes
  //   kResourceExhausted  no memory for a chunk of which only a part is wanted
  Status read(const TensorInfo& tensor, std::span<std::byte> destination,
              Verify verify = Verify::kYes) const;
  // Copies [offset, offset + destination.size()) of a storage, the same way. Errors are those of
  // read() and name `owner`; kInvalidArgument when the range is not within the storage.
  Status read_storage(std::uint32_t storage, std::uint64_t offset, std::span<std::byte> destination,
                      std::string_view owner = {}, Verify verify = Verify::kYes) const;
  // Copies a rectangular part, packed row-major. REQUIRES for sub-byte dtypes: byte-aligned rows.
  // `destination` has exactly the slice's bytes. Errors are those of read(); kInvalidArgument also
  // when the slice does not lie within the tensor, or its bytes, by the description's shape and
  // strides, not within the tensor's.
  Status read_slice(const TensorInfo& tensor, const Slice& slice, std::span<std::byte> destination,
                    Verify verify = Verify::kYes) const;
  // Copies an attachment's bytes, verified. Errors are those of read(); kResourceExhausted also
  // when there is no memory for AttachmentInfo::bytes, which the file claims: look at it first when
  // the file is a stranger's.
  Result<std::vector<std::byte>> read_attachment(const AttachmentInfo& attachment) const;

  // Says whether the file under the open handle is still the one that was opened (length and
  // modification time). kIoError when it changed.
  Status check_unchanged() const;

  // For the library's other rooms (verify, stream).
  struct State;
  const State& internal() const { return *state_; }

 private:
  explicit Checkpoint(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace ingot
