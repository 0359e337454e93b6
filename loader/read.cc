// Reading tensors and attachments into memory of the caller.
#include <memory>
#include <new>

#include "base/checked.h"
#include "base/error.h"
#include "loader/checkpoint_state.h"
#include "loader/storage_reader.h"

namespace ingot {

Status Checkpoint::read(const TensorInfo& tensor, std::span<std::byte> destination,
                        Verify verify) const {
  INGOT_RETURN_IF_ERROR(state_->check_own(tensor));
  if (destination.size() != tensor.bytes) {
    return make_error(Code::kInvalidArgument, "the destination has the wrong size")
        .file(state_->path())
        .tensor(tensor.name)
        .expected(tensor.bytes)
        .found(destination.size());
  }
  loader::StorageReader reader(*state_, tensor.storage, verify, tensor.name);
  INGOT_RETURN_IF_ERROR(reader.copy(tensor.byte_offset, destination));
  // Digests prove more than a time of modification.
  return verify == Verify::kYes ? Status() : check_unchanged();
}

Status Checkpoint::read_storage(std::uint32_t storage, std::uint64_t offset,
                                std::span<std::byte> destination, std::string_view owner,
                                Verify verify) const {
  if (storage >= storage_count() ||
      !range_in(offset, destination.size(), this->storage(storage).bytes)) {
    return make_error(Code::kInvalidArgument, "the range is not one of a storage of this file")
        .file(state_->path())
        .tensor(owner);
  }
  loader::StorageReader reader(*state_, storage, verify, owner);
  INGOT_RETURN_IF_ERROR(reader.copy(offset, destination));
  return verify == Verify::kYes ? Status() : check_unchanged();
}

Result<std::vector<std::byte>> Checkpoint::read_attachment(const AttachmentInfo& attachment) const {
  if (attachment.storage >= storage_count() ||
      attachment.bytes != storage(attachment.storage).bytes) {
    return make_error(Code::kInvalidArgument, "the description is of another file's attachment")
        .file(state_->path())
        .tensor(attachment.name);
  }
  // A vector that finds no memory ends the program: ask first.
  const auto size = static_cast<std::size_t>(attachment.bytes);
  if (!std::unique_ptr<std::byte[]>(new (std::nothrow) std::byte[size])) {
    return make_error(Code::kResourceExhausted, "no memory for the attachment")
        .file(state_->path())
        .tensor(attachment.name)
        .found(human_bytes(size));
  }
  std::vector<std::byte> bytes(size);
  loader::StorageReader reader(*state_, attachment.storage, Verify::kYes, attachment.name);
  INGOT_RETURN_IF_ERROR(reader.copy(0, bytes));
  return bytes;
}

}  // namespace ingot
