#include "loader/metadata.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/error.h"
#include "format/digest.h"
#include "format/validate.h"
#include "io/transfer.h"
#include "loader/parallel_read.h"

namespace ingot::loader {
namespace {

using format::Header;

struct Part {
  Region region;
  std::uint64_t offset;
  std::uint64_t bytes;
  std::uint64_t end;  // of the padding after it
  Digest128 digest;
  std::string_view damage;
};

Status check_zero(Bytes bytes, std::uint64_t offset, std::string_view path) {
  const std::size_t at = first_nonzero(bytes);
  if (at == bytes.size()) return {};
  return make_error(Code::kCorrupt, "F-19: byte that must be zero")
      .file(path)
      .at(Region::kPadding, offset + at, offset + at + 1)
      .expected("0x0")
      .found(hex(std::to_integer<std::uint64_t>(bytes[at])));
}

// One huge page is there sooner than many small ones.
std::uint64_t room_for(std::uint64_t bytes) {
  constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20;
  return bytes > kHugePage / 4 ? std::max(bytes, kHugePage) : bytes;
}

Result<io::AlignedBuffer> load(io::File& file, const Part& part) {
  const std::uint64_t bytes = part.end - part.offset;
  INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer buffer, io::AlignedBuffer::allocate(room_for(bytes)));
  const MutableBytes region = buffer.bytes().first(static_cast<std::size_t>(bytes));
  INGOT_RETURN_IF_ERROR(parallel_read(file, part.offset, region));
  const Bytes content = region.first(static_cast<std::size_t>(part.bytes));
  const Digest128 found = format::xxh3_128(content);
  if (found != part.digest) {
    return make_error(Code::kCorrupt, part.damage)
        .file(file.path())
        .at(part.region, part.offset, part.offset + part.bytes)
        .expected(to_string(part.digest))
        .found(to_string(found));
  }
  INGOT_RETURN_IF_ERROR(
      check_zero(region.subspan(content.size()), part.offset + part.bytes, file.path()));
  return buffer;
}

}  // namespace

Result<io::AlignedBuffer> load_index(io::File& file, const Header& header, const Limits& limits) {
  if (header.index_bytes > limits.max_index_bytes) {
    return make_error(Code::kRejected, "F-33: the index is larger than the limit")
        .file(file.path())
        .at(Region::kIndex)
        .expected("at most " + std::to_string(limits.max_index_bytes))
        .found(header.index_bytes);
  }
  INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer buffer,
                         load(file, {Region::kIndex, header.index_offset, header.index_bytes,
                                     header.second_header_offset(), header.index_digest,
                                     "F-21: wrong digest of the bytes"}));
  INGOT_RETURN_IF_ERROR(format::validate_index(
      Bytes(buffer.bytes()).first(static_cast<std::size_t>(header.index_bytes)), header, limits,
      file.path()));
  return buffer;
}

Result<io::AlignedBuffer> load_digest_table(io::File& file, const Header& header) {
  return load(
      file, {Region::kDigestTable, header.digests_offset, header.digests_bytes, header.index_offset,
             header.digests_digest, "F-20: wrong digest of the bytes"});
}

Status check_data_padding(io::File& file, const Header& header) {
  std::array<std::byte, format::kPageBytes> page{};
  for (std::uint64_t at = header.data_end; at < header.digests_offset;) {
    const std::uint64_t n = std::min<std::uint64_t>(page.size(), header.digests_offset - at);
    MutableBytes padding = MutableBytes(page).first(static_cast<std::size_t>(n));
    INGOT_RETURN_IF_ERROR(io::read_exact(file, at, padding));
    INGOT_RETURN_IF_ERROR(check_zero(padding, at, file.path()));
    at += n;
  }
  return {};
}

}  // namespace ingot::loader
