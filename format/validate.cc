#include "format/validate.h"

#include <algorithm>

#include "format/layout.h"
#include "format/validate_internal.h"

namespace ingot::format {
namespace {

Status check_bounds(const IndexCheck& check, Bytes index, const Header& header,
                    const Limits& limits) {
  if (index.size() != header.index_bytes || index.size() < kMinIndexBytes ||
      index.size() > kMaxIndexBytes) {
    return check.rejected("F-12: index_bytes").expected(header.index_bytes).found(index.size());
  }
  if (index.size() > limits.max_index_bytes) {
    return check.rejected("F-33: index is over the limit")
        .expected("at most " + std::to_string(limits.max_index_bytes) + " bytes")
        .found(index.size());
  }
  if (reinterpret_cast<std::uintptr_t>(index.data()) % 16 != 0) {
    return make_error(Code::kInvalidArgument, "index is not aligned to 16 bytes in memory");
  }
  return {};
}

// Memory safety of every access that follows. What it does not show: whether anything makes sense.
Status run_verifier(const IndexCheck& check, Bytes index) {
  // No real table takes less than 8 bytes with the offset that leads to it.
  const auto max_tables = static_cast<flatbuffers::uoffset_t>(index.size() / 8);
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(index.data()), index.size(),
                                 kMaxVerifierDepth, max_tables);
  if (!fbs::VerifyIndexBuffer(verifier)) {
    // REQUIRES of F-12: at least 8 bytes.
    return check.rejected("F-30: not a well-formed FlatBuffer with identifier \"INGX\"")
        .expected("identifier \"INGX\", all parts within " + std::to_string(index.size()) +
                  " bytes")
        .found("identifier \"" + std::string(as_text(index.subspan(4, 4))) +
               (flatbuffers::BufferHasIdentifier(index.data(), fbs::IndexIdentifier())
                    ? "\", parts that are not"
                    : "\""));
  }
  return {};
}

// The vectors of the root table: F-31 to F-35, F-70.
Status check_root(IndexCheck& check, const fbs::Index& index, const Limits& limits) {
  const std::uint64_t tensors = index.tensors()->size();
  if (tensors > limits.max_tensors) {
    return check.rejected("F-33: number of tensors is over the limit")
        .expected("at most " + std::to_string(limits.max_tensors))
        .found(tensors);
  }
  if (!check.elements_aligned(index.storages())) return check.misaligned(index.storages());
  if (!check.elements_aligned(index.name_hashes())) return check.misaligned(index.name_hashes());
  if (!check.refer(kTableBytes) || !check.refer(index.tensors(), kOffsetBytes) ||
      !check.refer(index.storages(), sizeof(fbs::Storage)) ||
      !check.refer(index.name_hashes(), 8) || !check.refer(index.name_tensors(), 4) ||
      !check.refer(index.attachments(), kOffsetBytes)) {
    return check.over_budget();
  }
  if (index.attachments() != nullptr && index.attachments()->size() == 0) {
    return check.empty_vector("attachments");
  }
  if (index.files() != nullptr) {
    return check.rejected("F-35: the file table needs required feature bit 1")
        .expected("no file table")
        .found("one of " + std::to_string(index.files()->size()) + " files");
  }
  if (index.name_hashes()->size() != tensors || index.name_tensors()->size() != tensors) {
    return check.rejected("F-70: lengths of name_hashes and name_tensors")
        .expected(tensors)
        .found(std::to_string(index.name_hashes()->size()) + " and " +
               std::to_string(index.name_tensors()->size()));
  }
  return {};
}

// Places the storage. Whether it obeys F-40 to F-44.
bool accepts(const fbs::Storage& storage, std::uint8_t previous_role, DataLayout& layout) {
  PlacedStorage placed;
  const bool fits = layout.place(storage.bytes(), &placed);
  return fits && storage.offset() == placed.offset && storage.first_chunk() == placed.first_chunk &&
         storage.role() >= previous_role && storage.role() <= kAttachmentRole &&
         (storage.file() | storage.reserved0() | storage.reserved1()) == 0;
}

// The same, and the first rule that it breaks.
Status check_storage(const IndexCheck& check, const fbs::Storage& storage, std::uint32_t number,
                     std::uint8_t previous_role, DataLayout& layout) {
  const std::string what = "storage " + std::to_string(number) + ": ";
  if (storage.file() != 0) {
    return check.unsupported("F-40: " + what + "lies in another file")
        .expected(0)
        .found(storage.file());
  }
  if (storage.reserved0() != 0 || storage.reserved1() != 0) {
    return check.rejected("F-41: " + what + "reserved fields are not zero")
        .expected("0 and 0")
        .found(std::to_string(storage.reserved0()) + " and " + std::to_string(storage.reserved1()));
  }
  if (storage.role() < previous_role || storage.role() > kAttachmentRole) {
    return check.rejected("F-42: " + what + "role")
        .expected(std::to_string(previous_role) + " to 5")
        .found(storage.role());
  }
  PlacedStorage placed;
  if (!layout.place(storage.bytes(), &placed)) {
    return check.rejected("F-43: " + what + "its end does not fit in 63 bits")
        .expected("an end of at most 9223372036854775807")
        .found(std::to_string(storage.bytes()) + " bytes at " + std::to_string(storage.offset()));
  }
  if (storage.offset() != placed.offset) {
    return check.rejected("F-43: " + what + "offset")
        .expected(placed.offset)
        .found(storage.offset());
  }
  if (storage.first_chunk() != placed.first_chunk) {
    return check.rejected("F-44: " + what + "first_chunk")
        .expected(placed.first_chunk)
        .found(storage.first_chunk());
  }
  return {};
}

Status what_is_wrong(const IndexCheck& check, const fbs::Index& index, DataLayout layout) {
  std::uint8_t role = 1;
  for (std::uint32_t i = 0; i < index.storages()->size(); ++i) {
    const fbs::Storage& storage = *index.storages()->Get(i);
    INGOT_RETURN_IF_ERROR(check_storage(check, storage, i, role, layout));
    role = storage.role();
  }
  return make_error(Code::kInternal, "the index's storages are refused for no rule");
}

Status check_storages(const IndexCheck& check, const fbs::Index& index, const Header& header) {
  const DataLayout empty(header.chunk_bytes(), header.alignment());
  DataLayout layout = empty;
  std::uint8_t role = 1;
  for (const fbs::Storage* storage : *index.storages()) {
    if (!accepts(*storage, role, layout)) return what_is_wrong(check, index, empty);
    role = storage->role();
  }
  if (layout.end() != header.data_end) {
    return check.rejected("F-45: data_end").expected(layout.end()).found(header.data_end);
  }
  if (layout.chunks() != header.chunk_count()) {
    return check.rejected("F-46: number of digests")
        .expected(layout.chunks())
        .found(header.chunk_count());
  }
  return {};
}

// The section of attachments: as many storages as attachments, in the same order.
class AttachmentPass {
 public:
  AttachmentPass(IndexCheck& check, const fbs::Index& index)
      : check_(check), index_(index), storage_(index.storages()->size()) {
    while (storage_ > 0 && index.storages()->Get(storage_ - 1)->role() == kAttachmentRole) {
      --storage_;
    }
  }

  Status run() {
    const auto* attachments = index_.attachments();
    const std::uint32_t count = attachments != nullptr ? attachments->size() : 0;
    for (std::uint32_t i = 0; i < count; ++i) INGOT_RETURN_IF_ERROR(next(*attachments->Get(i)));
    if (storage_ != index_.storages()->size()) {
      return check_
          .rejected("F-47: storage " + std::to_string(storage_) + " belongs to no attachment")
          .expected("an attachment for each storage of role 5")
          .found(std::to_string(count) + " attachments");
    }
    return {};
  }

 private:
  Status next(const fbs::Attachment& attachment) {
    if (!check_.refer(kTableBytes) || !check_.refer(attachment.name()) ||
        !check_.refer(attachment.media_type())) {
      return check_.over_budget();
    }
    const std::string_view name = text_of(attachment.name());
    if (!is_valid_name(name)) {
      return check_.rejected("F-80: an attachment's name").expected(kValidName).found(quoted(name));
    }
    if (name <= previous_) {
      return check_.rejected("F-81: attachments are not in ascending order of their names")
          .tensor(name)
          .expected("a name after " + quoted(previous_))
          .found(quoted(name));
    }
    previous_ = name;
    if (!is_media_type(text_of(attachment.media_type()))) {
      return check_.rejected("F-82: media type of an attachment")
          .tensor(name)
          .expected("1 to " + std::to_string(kMaxMediaTypeBytes) + " printable ASCII characters")
          .found(quoted(text_of(attachment.media_type())));
    }
    if (storage_ == index_.storages()->size() || attachment.storage() != storage_) {
      return check_.rejected("F-83: storage of an attachment")
          .tensor(name)
          .expected(storage_)
          .found(attachment.storage());
    }
    ++storage_;
    return {};
  }

  static bool is_media_type(std::string_view text) {
    const bool visible =
        std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
    return visible && !text.empty() && text.size() <= kMaxMediaTypeBytes;
  }

  IndexCheck& check_;
  const fbs::Index& index_;
  std::uint32_t storage_;
  std::string_view previous_;
};

const fbs::Index& root_of(Bytes index) { return *flatbuffers::GetRoot<fbs::Index>(index.data()); }

}  // namespace

Status IndexValidation::structure() {
  IndexCheck check(index_, index_.size(), path_);
  INGOT_RETURN_IF_ERROR(check_bounds(check, index_, header_, limits_));
  INGOT_RETURN_IF_ERROR(run_verifier(check, index_));
  INGOT_RETURN_IF_ERROR(check_root(check, root_of(index_), limits_));
  budget_ = check.budget();
  return check_storages(check, root_of(index_), header_);
}

Status IndexValidation::content() const {
  IndexCheck check(index_, budget_, path_);
  const fbs::Index& index = root_of(index_);
  INGOT_RETURN_IF_ERROR(validate_tensors(check, index));
  INGOT_RETURN_IF_ERROR(AttachmentPass(check, index).run());
  if (index.state() == nullptr) return {};
  return validate_state(check, *index.state(), index.tensors()->size());
}

Status IndexValidation::names() const {
  IndexCheck check(index_, budget_, path_);
  return validate_names(check, root_of(index_));
}

Status validate_index(Bytes bytes, const Header& header, const Limits& limits,
                      std::string_view path) {
  IndexValidation index(bytes, header, limits, path);
  INGOT_RETURN_IF_ERROR(index.structure());
  INGOT_RETURN_IF_ERROR(index.content());
  return index.names();
}

}  // namespace ingot::format
