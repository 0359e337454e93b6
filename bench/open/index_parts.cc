#include "bench/open/index_parts.h"

#include "ingot/exceptions.h"

#include "format/digest.h"
#include "format/index_generated.h"
#include "format/validate.h"
#include "io/file_system.h"
#include "io/transfer.h"
#include "loader/parallel_read.h"

namespace ingot::bench {
namespace {

// Where the parts find their bytes: on huge pages, which is best.
constexpr auto kHuge = io::MemoryUse::kTransfers;

format::Header header_of(io::File& file, const std::string& path) {
  format::HeaderPage page;
  or_throw(io::read_exact(file, 0, page));
  return or_throw(format::decode_header(page, path, Region::kHeader));
}

io::AlignedBuffer bytes_of(io::File& file, std::uint64_t offset, std::uint64_t length,
                           io::MemoryUse use) {
  io::AlignedBuffer buffer = or_throw(io::AlignedBuffer::allocate(length, use));
  or_throw(loader::parallel_read(file, offset, buffer.bytes()));
  return buffer;
}

}  // namespace

IndexBytes::IndexBytes(const std::string& file_path)
    : path(file_path),
      file(or_throw(io::or_posix(nullptr).open(file_path, io::Access::kRead))),
      header(header_of(*file, file_path)),
      index(bytes_of(*file, header.index_offset, header.index_bytes, kHuge)),
      digests(bytes_of(*file, header.digests_offset, header.digests_bytes, kHuge)) {}

bool hash_and_verify(const IndexBytes& in) {
  if (format::xxh3_128(in.index.bytes()) != in.header.index_digest) return false;
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(in.index.data()),
                                 in.index.size(), 64, 1u << 30);
  return fbs::VerifyIndexBuffer(verifier);
}

bool read_index(const IndexBytes& in) {
  return !bytes_of(*in.file, in.header.index_offset, in.header.index_bytes, io::MemoryUse::kContent)
              .bytes()
              .empty();
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
