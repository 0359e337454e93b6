#include "tools/extract/extract.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/cancel.h"
#include "base/error.h"
#include "tools/extract/npy.h"
#include "tools/read/packed_reader.h"

namespace ingot::tools {
namespace {

constexpr std::uint64_t kPartBytes = std::uint64_t{8} << 20;
constexpr std::uint64_t kSliceBytes = std::uint64_t{64} << 20;

Status check_cancelled(const CancelFlag* cancel) {
  if (is_set(cancel)) return {Code::kCancelled, "stopped on request"};
  return {};
}

Status not_found(const Checkpoint& checkpoint, const std::string& what) {
  return make_error(Code::kNotFound, "no " + what).file(checkpoint.file().path);
}

// Any run of bytes that PackedReader can read.
Status copy_packed(const Checkpoint& checkpoint, const TensorInfo& info, const CancelFlag* cancel,
                   const ByteSink& sink) {
  PackedReader reader(checkpoint, info);
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(kPartBytes, reader.bytes())));
  for (std::uint64_t done = 0; done < reader.bytes();) {
    INGOT_RETURN_IF_ERROR(check_cancelled(cancel));
    const auto length = static_cast<std::size_t>(std::min(kPartBytes, reader.bytes() - done));
    const MutableBytes part(buffer.data(), length);
    INGOT_RETURN_IF_ERROR(reader.read(done, part));
    INGOT_RETURN_IF_ERROR(sink(part));
    done += length;
  }
  return {};
}

std::uint64_t slice_bytes(const TensorInfo& info, const Slice& slice) {
  auto bits = static_cast<std::uint64_t>(dtype_bits(info.dtype));
  for (std::size_t d = 0; d < slice.begin.size(); ++d) {
    bits *= static_cast<std::uint64_t>(slice.end[d] - slice.begin[d]);
  }
  return (bits + 7) / 8;
}

// Cuts the slice along its first dimension that has more than one index, until a part fits.
Status copy_slice(const Checkpoint& checkpoint, const TensorInfo& info, const Slice& slice,
                  const CancelFlag* cancel, const ByteSink& sink) {
  INGOT_RETURN_IF_ERROR(check_cancelled(cancel));
  const std::uint64_t bytes = slice_bytes(info, slice);
  std::size_t cut = 0;
  while (cut < slice.begin.size() && slice.end[cut] - slice.begin[cut] <= 1) ++cut;
  if (bytes <= kSliceBytes || cut == slice.begin.size() || dtype_bits(info.dtype) % 8 != 0) {
    std::vector<std::byte> buffer(static_cast<std::size_t>(bytes));
    INGOT_RETURN_IF_ERROR(checkpoint.read_slice(info, slice, buffer));
    return sink(buffer);
  }
  Slice head = slice;
  Slice tail = slice;
  head.end[cut] = tail.begin[cut] = slice.begin[cut] + (slice.end[cut] - slice.begin[cut]) / 2;
  INGOT_RETURN_IF_ERROR(copy_slice(checkpoint, info, head, cancel, sink));
  return copy_slice(checkpoint, info, tail, cancel, sink);
}

// An attachment is to the reader a run of bytes.
Status copy_attachment(const Checkpoint& checkpoint, const AttachmentInfo& attachment,
                       const CancelFlag* cancel, const ByteSink& sink) {
  const auto extent = static_cast<std::int64_t>(attachment.bytes);
  TensorInfo info;
  info.name = attachment.name;
  info.shape = std::span(&extent, 1);
  info.storage = attachment.storage;
  info.bytes = attachment.bytes;
  return copy_packed(checkpoint, info, cancel, sink);
}

// What to copy, and what comes of it.
struct Found {
  Extracted extracted;
  std::optional<AttachmentInfo> attachment;
  TensorInfo tensor;
  SliceSpec spec;
  std::string header;
};

Result<Found> find_attachment(const Checkpoint& checkpoint, const ExtractItem& item) {
  Found found;
  found.attachment = checkpoint.find_attachment(item.name);
  if (!found.attachment) return not_found(checkpoint, "attachment \"" + item.name + "\"");
  found.extracted.name = item.name;
  found.extracted.bytes = found.attachment->bytes;
  return found;
}

Result<Found> find(const Checkpoint& checkpoint, const ExtractItem& item) {
  if (item.attachment) return find_attachment(checkpoint, item);
  const std::optional<TensorInfo> info = checkpoint.find(item.name);
  if (!info) return not_found(checkpoint, "tensor \"" + item.name + "\"");
  Found found;
  found.tensor = *info;
  found.spec = whole(info->shape);
  if (item.slice) {
    INGOT_ASSIGN_OR_RETURN(found.spec, parse_slice(*item.slice, info->shape));
  }
  if (item.npy) {
    if (!npy_type(info->dtype)) {
      return make_error(Code::kUnsupported,
                        "NumPy has no dtype " + std::string(dtype_name(info->dtype)))
          .file(checkpoint.file().path)
          .tensor(item.name)
          .advice("without --npy the bytes are written as they are");
    }
    found.header = npy_header(info->dtype, found.spec.shape);
  }
  found.extracted = {.name = item.name,
                     .dtype = std::string(dtype_name(info->dtype)),
                     .shape = found.spec.shape,
                     .bytes = found.header.size() + slice_bytes(*info, found.spec.slice)};
  return found;
}

}  // namespace

Result<Extracted> describe(const Checkpoint& checkpoint, const ExtractItem& item) {
  INGOT_ASSIGN_OR_RETURN(Found found, find(checkpoint, item));
  return std::move(found.extracted);
}

Result<Extracted> extract(const Checkpoint& checkpoint, const ExtractItem& item,
                          const CancelFlag* cancel, const ByteSink& sink) {
  INGOT_ASSIGN_OR_RETURN(Found found, find(checkpoint, item));
  if (!found.header.empty()) INGOT_RETURN_IF_ERROR(sink(as_bytes(found.header)));
  if (found.attachment) {
    INGOT_RETURN_IF_ERROR(copy_attachment(checkpoint, *found.attachment, cancel, sink));
  } else {
    INGOT_RETURN_IF_ERROR(item.slice
                              ? copy_slice(checkpoint, found.tensor, found.spec.slice, cancel, sink)
                              : copy_packed(checkpoint, found.tensor, cancel, sink));
  }
  return std::move(found.extracted);
}

std::string file_name_of(std::string_view name) {
  std::string file;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || (c == '.' && i > 0);
    if (plain) {
      file += c;
      continue;
    }
    std::array<char, 4> escape{};
    std::snprintf(escape.data(), escape.size(), "%%%02X", static_cast<unsigned char>(c));
    file += escape.data();
  }
  return file;
}

}  // namespace ingot::tools
