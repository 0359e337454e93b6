// Writing a checkpoint. Start here to save.
//
//   ingot::WritePlan plan;
//   const auto embed = plan.add({
//       .name = "embed.weight",
//       .dtype = ingot::DType::kBFloat16,
//       .shape = {32000, 4096},
//   });
//   INGOT_ASSIGN_OR_RETURN(auto writer, ingot::Writer::create("model.ingot", plan));
//   INGOT_RETURN_IF_ERROR(writer.write(embed, bytes));
//   INGOT_RETURN_IF_ERROR(writer.commit());
//
// Nothing is under that name, or what was there before, until commit() returns OK.
//
// The plan comes first, so that the layout is known, the space reserved and the order canonical;
// then bytes come tensor by tensor and never all at once. Equal plans and bytes make equal files.
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
#include "ingot/dtype.h"
#include "ingot/progress.h"
#include "ingot/state.h"
#include "ingot/status.h"
#include "ingot/tensor.h"

namespace ingot {

namespace io {
class FileSystem;
}

// Handles into a WritePlan.
enum class TensorId : std::uint32_t {};
enum class StorageId : std::uint32_t {};
enum class AttachmentId : std::uint32_t {};

// How to map quantised integers to real numbers, for writing (see Quantization).
struct QuantizationSpec {
  QuantizationScheme scheme = QuantizationScheme::kPerTensorAffine;
  double scale = 1.0;
  std::int64_t zero_point = 0;
  std::int32_t axis = 0;
  // Per channel only: made with add_storage(), shape[axis] elements each.
  std::optional<StorageId> scales = std::nullopt;
  std::optional<StorageId> zero_points = std::nullopt;
};

struct TensorSpec {
  std::string name;  // 1 to 1024 bytes of UTF-8 without control characters, unique in the plan
  DType dtype = DType::kFloat32;
  std::vector<std::int64_t> shape = {};  // rank <= 64; empty means 0-d
  Role role = Role::kParameter;
  bool requires_grad = false;
  std::vector<std::int64_t> strides = {};  // in elements; empty means row-major contiguous
  std::uint64_t byte_offset = 0;           // of element [0, …] within the storage
  // Unset: the tensor gets a storage of its own, just large enough. Set: tied weights, views.
  std::optional<StorageId> storage = std::nullopt;
  std::optional<QuantizationSpec> quantization = std::nullopt;
};

// What will be written: descriptions only, no bytes. A plain value; building it cannot fail, its
// content is checked by Writer::create. Not thread-safe.
class WritePlan {
 public:
  // Makes room for so many tensors; for plans of many thousands.
  void reserve(std::size_t tensors);
  // Tensors keep the order in which they are added.
  TensorId add(TensorSpec spec);
  StorageId storage_of(TensorId tensor) const;
  // A storage for several tensors, or larger than the tensor that views it.
  StorageId add_storage(std::uint64_t bytes);
  // A named blob (AttachmentInfo); names are unique.
  AttachmentId attach(std::string name, std::string media_type, std::uint64_t bytes);
  // The root of the state tree: a dict by convention (docs/format.md).
  void set_state(StateValue state);

  std::size_t tensor_count() const { return tensors_.size(); }
  const std::vector<TensorSpec>& tensors() const { return tensors_; }  // with `storage` always set
  const std::vector<std::uint64_t>& storage_bytes() const { return storage_bytes_; }
  struct Attachment {
    std::string name;
    std::string media_type;
    StorageId storage;
  };
  const std::vector<Attachment>& attachments() const { return attachments_; }
  const std::optional<StateValue>& state() const { return state_; }

 private:
  std::vector<TensorSpec> tensors_;
  std::vector<std::uint64_t> storage_bytes_;  // by StorageId
  std::vector<Attachment> attachments_;
  std::optional<StateValue> state_;
};

enum class Durability : std::uint8_t {
  kFull,  // fsync of the file, then of its folder: the file survives a power cut
  kNone,  // left to the operating system: survives the process, not the machine
};

enum class Existing : std::uint8_t {
  // Atomically: readers see the old file or the new one. The permission bits stay those of the old
  // file. What is no regular file (a symbolic link, too: a link is not followed) is kAlreadyExists.
  kReplace,
  kFail,  // kAlreadyExists, also when another writer wins the race
};

enum class DirectIo : std::uint8_t {
  kAuto,  // where the file system allows it and the file is large
  kOn,    // kUnsupported where it is not to be had
  kOff,
};

struct WriterOptions {
  Durability durability = Durability::kFull;
  Existing existing = Existing::kReplace;
  DirectIo direct = DirectIo::kAuto;
  std::uint64_t chunk_bytes = std::uint64_t{1} << 20;  // power of two, 64 KiB to 1 GiB
  std::uint64_t alignment = 4096;  // of storages >= 64 KiB; power of two, 4 KiB to 2 MiB
  // That hash and copy within one write() of a large range; 0: as many as the process may run on.
  // At most 1,024: above, kInvalidArgument.
  int threads = 1;
  // A SHA-256 per chunk and a root over them (docs/security.md). create() is kUnsupported where
  // libcrypto is configured without the algorithm.
  bool sha256 = false;
  bool read_back = false;  // read and verify the whole file before publishing it
  // Bound of the writer's own buffers; at least 128 KiB.
  std::uint64_t staging_bytes = std::uint64_t{64} << 20;
  // Unset: derived from the content, so that equal content makes equal bytes.
  std::optional<std::array<std::uint8_t, 16>> uuid = {};
  std::optional<std::array<std::uint8_t, 16>> save_id = {};
  ProgressCallback progress = {};      // bytes of data written, of all data
  const CancelFlag* cancel = nullptr;  // looked at in write() and commit(); must outlive the writer
  // Internal: Ingot's own tests put a double here, and its class is in no installed header. Null is
  // the operating system. Must outlive the writer.
  io::FileSystem* file_system = nullptr;
  // Internal: a flag of whoever writes for the caller, which counts as `cancel` does.
  const CancelFlag* second_cancel = nullptr;
};

struct WriteReport {
  std::uint64_t file_bytes = 0;
  std::uint64_t data_bytes = 0;     // of all storages
  std::uint64_t padding_bytes = 0;  // zero bytes for alignment, anywhere in the file
  std::string io_path;              // "O_DIRECT, io_uring", "buffered", ...
  std::string io_reason;            // why that one
  Digest128 root;                   // valid after commit()
};

// Writes one file. Its memory is WriterOptions::staging_bytes at most, which commit() gives back,
// the index (as large as the plan makes it), and 20 bytes for each chunk of data, 52 with SHA-256.
// Reading back takes no more than the staging did.
//
// write() may be called from several threads at once. Everything fails with the first error from
// then on. A writer that is destroyed without a commit leaves nothing behind.
class Writer {
 public:
  // Checks the plan, computes the layout and reserves the space. The plan is not needed afterwards.
  // Nothing under `path` changes. Blocks for the time that reserving takes. Errors:
  //   kInvalidArgument    the plan or the options; the message names the tensor
  //   kResourceExhausted  no space ("need X, have Y") or no memory
  //   kAlreadyExists      with Existing::kFail; with kReplace for what is no regular file
  //   kNotFound           the folder does not exist
  //   kUnsupported        DirectIo::kOn where O_DIRECT is not to be had
  //   kIoError            whatever else the operating system says
  static Result<Writer> create(std::string_view path, const WritePlan& plan,
                               const WriterOptions& options = {});

  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  // All bytes of a tensor's storage: for an ordinary tensor, its bytes in row-major order. The
  // bytes are hashed and copied before the call returns; the caller may then reuse them. Blocks
  // while all staging buffers are in use. Errors of all four, then and from then on:
  //   kInvalidArgument    no such tensor in the plan, not all bytes of it, a byte twice, or after
  //                       commit(); a part that begins elsewhere than said below
  //   kChecksumMismatch   bytes changed between the hand-over and the write of an earlier call: the
  //                       caller's memory was written to meanwhile, or memory is failing
  //   kResourceExhausted  the file system is full, in spite of the reservation
  //   kCancelled          by WriterOptions::cancel
  //   kIoError            whatever else the operating system says, of this or an earlier call
  Status write(TensorId tensor, std::span<const std::byte> bytes);
  Status write(StorageId storage, std::span<const std::byte> bytes);
  Status write(AttachmentId attachment, std::span<const std::byte> bytes);
  // A part, at `offset` bytes into the storage. Parts may come in any order and from several
  // threads as long as each begins at a multiple of the chunk size or where an earlier part of the
  // same chunk ended. Every byte is written exactly once: kInvalidArgument otherwise.
  Status write(StorageId storage, std::uint64_t offset, std::span<const std::byte> bytes);

  // Finishes: all storages must be complete. Publishes the file under its name and returns only
  // then. Once, from one thread, after all writes have returned; no writes after it. Blocks until
  // the file is durable (Durability::kFull). Staging memory, descriptors and, after an error, the
  // space of the file are given back before it returns. Errors; after all but the last the file is
  // dropped and what was under the name is still there:
  //   kInvalidArgument    bytes are missing (the message names tensors), or a second call
  //   kChecksumMismatch   as for write(), or, with `read_back`, data that reads otherwise
  //   kCorrupt            with `read_back`: padding, tables, index or header that read otherwise
  //   kAlreadyExists      with Existing::kFail, when another writer was faster; with kReplace, when
  //                       what is under the name now is no regular file
  //   kResourceExhausted, kCancelled, kIoError (a failed fsync among them: it is never tried again)
  //   kCommitUncertain    the file is there under its name, but whether that survives a power
  //                       cut is not known; either state is a whole file
  Status commit();

  const WriteReport& report() const;

 private:
  class Impl;
  explicit Writer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ingot
