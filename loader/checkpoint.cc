// Look-ups and views of an open checkpoint.
#include "ingot/checkpoint.h"

#include <array>
#include <cstring>

#include "base/checked.h"
#include "base/error.h"
#include "format/digest.h"
#include "loader/checkpoint_state.h"

namespace ingot {
namespace {

using format::kDigestBytes;

Status unknown_tensor(const std::string& path, std::string_view name) {
  return make_error(Code::kNotFound, "no such tensor").file(path).tensor(name);
}

// A copy-on-write mapping, and what the description of its tensor points into.
struct PrivatePages {
  std::shared_ptr<const void> state;
  std::unique_ptr<io::Mapping> mapping;
};

}  // namespace

Digest128 Checkpoint::State::chunk_digest(std::uint64_t chunk) const {
  const Bytes table = digest_table();
  const auto at = static_cast<std::size_t>(chunk * kDigestBytes);
  return {load_le<std::uint64_t>(table, at), load_le<std::uint64_t>(table, at + 8)};
}

Sha256 Checkpoint::State::chunk_sha256(std::uint64_t chunk) const {
  Sha256 digest;
  const std::uint64_t column = header.chunk_count() * kDigestBytes;
  std::memcpy(digest.data(), digest_table().data() + column + chunk * digest.size(), digest.size());
  return digest;
}

Status Checkpoint::State::check_unchanged_since(const io::FileStat& before) const {
  INGOT_ASSIGN_OR_RETURN(const io::FileStat now, file->stat());
  if (now.bytes != before.bytes) {
    return make_error(Code::kIoError, "the file's length changed while it was open")
        .file(path())
        .at(Region::kFile)
        .expected(before.bytes)
        .found(now.bytes);
  }
  if (now.modified_ns != before.modified_ns) {
    return make_error(Code::kIoError, "the file was modified while it was open")
        .file(path())
        .at(Region::kFile);
  }
  return {};
}

Status Checkpoint::State::check_own(const TensorInfo& tensor) const {
  if (tensor.ordinal < index.tensor_count() && tensor.storage < index.storage_count() &&
      range_in(tensor.byte_offset, tensor.bytes, storage(tensor.storage).bytes)) {
    return {};
  }
  return foreign_description(tensor);
}

Status Checkpoint::State::foreign_description(const TensorInfo& tensor) const {
  return make_error(Code::kInvalidArgument, "the description is not of a tensor of this file")
      .file(path())
      .tensor(tensor.name);
}

const FileInfo& Checkpoint::file() const { return state_->info; }

std::uint32_t Checkpoint::tensor_count() const { return state_->index.tensor_count(); }

TensorInfo Checkpoint::info(std::uint32_t ordinal) const { return state_->index.tensor(ordinal); }

std::optional<TensorInfo> Checkpoint::find(std::string_view name) const {
  const std::optional<std::uint32_t> ordinal = state_->index.find(name);
  if (!ordinal) return std::nullopt;
  return state_->index.tensor(*ordinal);
}

std::uint32_t Checkpoint::storage_count() const { return state_->index.storage_count(); }

StorageInfo Checkpoint::storage(std::uint32_t storage) const { return state_->storage(storage); }

Digest128 Checkpoint::chunk_digest(std::uint64_t chunk) const {
  return state_->chunk_digest(chunk);
}

std::uint64_t Checkpoint::chunk_count() const { return state_->header.chunk_count(); }

Digest128 Checkpoint::storage_digest(std::uint32_t storage) const {
  const StorageInfo info = state_->storage(storage);
  const Bytes digests =
      state_->digest_table().subspan(static_cast<std::size_t>(info.first_chunk * kDigestBytes),
                                     static_cast<std::size_t>(info.chunks * kDigestBytes));
  // Like the root: never hash 32 to 240 bytes, where XXH3 is weak.
  std::array<std::byte, format::kRootInputBytes> padded{};
  if (digests.size() >= padded.size()) return format::xxh3_128(digests);
  std::memcpy(padded.data(), digests.data(), digests.size());
  return format::xxh3_128(padded);
}

std::uint32_t Checkpoint::attachment_count() const { return state_->index.attachment_count(); }

AttachmentInfo Checkpoint::attachment(std::uint32_t i) const { return state_->index.attachment(i); }

std::optional<AttachmentInfo> Checkpoint::find_attachment(std::string_view name) const {
  std::uint32_t low = 0;
  std::uint32_t high = attachment_count();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (attachment(middle).name < name) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == attachment_count()) return std::nullopt;
  AttachmentInfo found = attachment(low);
  if (found.name != name) return std::nullopt;
  return found;
}

std::optional<StateView> Checkpoint::state() const { return state_->index.state(); }

Result<TensorView> Checkpoint::tensor(std::string_view name) const {
  const std::optional<TensorInfo> found = find(name);
  if (!found) return unknown_tensor(state_->path(), name);
  return view(*found);
}

Result<TensorView> Checkpoint::view(const TensorInfo& tensor) const {
  INGOT_RETURN_IF_ERROR(state_->check_own(tensor));
  if (state_->mapping == nullptr) {
    return make_error(Code::kResourceExhausted, "the file is not mapped")
        .file(state_->path())
        .tensor(tensor.name)
        .advice(state_->mapping_error.message());
  }
  const std::uint64_t offset = state_->storage(tensor.storage).offset + tensor.byte_offset;
  return TensorView{
      tensor,
      Bytes(state_->mapping->bytes())
          .subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(tensor.bytes)),
      state_};
}

Result<MutableTensorView> Checkpoint::mutable_view(const TensorInfo& tensor) const {
  INGOT_RETURN_IF_ERROR(state_->check_own(tensor));
  auto pages = std::make_shared<PrivatePages>();
  pages->state = state_;
  if (tensor.bytes == 0) return MutableTensorView{tensor, {}, std::move(pages)};

  const std::uint64_t begin = state_->storage(tensor.storage).offset + tensor.byte_offset;
  Result<std::unique_ptr<io::Mapping>> mapping =
      state_->file->map(begin, tensor.bytes, io::MapMode::kCopyOnWrite);
  if (!mapping.ok()) {
    return make_error(Code::kResourceExhausted, "its pages could not be mapped")
        .file(state_->path())
        .tensor(tensor.name)
        .os_error(mapping.status().os_error())
        .advice(mapping.status().message());
  }
  pages->mapping = *std::move(mapping);
  const MutableBytes bytes = pages->mapping->bytes();
  return MutableTensorView{tensor, bytes, std::move(pages)};
}

Result<MutableDataView> Checkpoint::mutable_data() const {
  auto pages = std::make_shared<PrivatePages>();
  pages->state = state_;
  const std::uint64_t bytes = file().data_end - file().data_begin;
  if (bytes == 0) return MutableDataView{{}, std::move(pages)};
  INGOT_ASSIGN_OR_RETURN(pages->mapping,
                         state_->file->map(file().data_begin, bytes, io::MapMode::kCopyOnWrite));
  const MutableBytes data = pages->mapping->bytes();
  return MutableDataView{data, std::move(pages)};
}

Status Checkpoint::check_unchanged() const { return state_->check_unchanged_since(state_->opened); }

}  // namespace ingot
