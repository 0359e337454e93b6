#include "bench/open/index_parts.h"

#include <fcntl.h>
#include <unistd.h>

#include "ingot/exceptions.h"

#include "format/digest.h"
#include "format/index_generated.h"
#include "format/validate.h"

namespace ingot::bench {
namespace {

void read_at(const Descriptor& file, std::uint64_t offset, MutableBytes destination) {
  while (!destination.empty()) {
    const ssize_t n =
        pread(file.get(), destination.data(), destination.size(), static_cast<off_t>(offset));
    if (n <= 0) throw_errno("pread");
    destination = destination.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

format::Header header_of(const Descriptor& file, const std::string& path) {
  format::HeaderPage page;
  read_at(file, 0, page);
  return or_throw(format::decode_header(page, path, Region::kHeader));
}

io::AlignedBuffer bytes_of(const Descriptor& file, std::uint64_t offset, std::uint64_t length) {
  io::AlignedBuffer buffer = or_throw(io::AlignedBuffer::allocate(length));
  read_at(file, offset, buffer.bytes());
  return buffer;
}

}  // namespace

IndexBytes::IndexBytes(const std::string& file_path)
    : path(file_path),
      file(file_path, O_RDONLY),
      header(header_of(file, file_path)),
      index(bytes_of(file, header.index_offset, header.index_bytes)),
      digests(bytes_of(file, header.digests_offset, header.digests_bytes)) {}

bool hash_and_verify(const IndexBytes& in) {
  if (format::xxh3_128(in.index.bytes()) != in.header.index_digest) return false;
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(in.index.data()),
                                 in.index.size(), 64, 1u << 30);
  return fbs::VerifyIndexBuffer(verifier);
}

bool read_index(const IndexBytes& in) {
  Result<io::AlignedBuffer> copy = io::AlignedBuffer::allocate(in.header.index_bytes);
  if (!copy.ok()) return false;
  read_at(in.file, in.header.index_offset, copy->bytes());
  return true;
}

bool hash_index(const IndexBytes& in) {
  return format::xxh3_128(in.index.bytes()) == in.header.index_digest;
}

bool hash_digest_table(const IndexBytes& in) {
  return format::xxh3_128(in.digests.bytes()) == in.header.digests_digest;
}

bool validate_index(const IndexBytes& in) {
  return format::validate_index(in.index.bytes(), in.header, {}, in.path).ok();
}

}  // namespace ingot::bench
