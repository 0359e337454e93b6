// The ceiling of open: the two things that cannot be left out, over the index in private memory on
// huge pages. And the parts that open() is made of, one by one.
#include <fcntl.h>
#include <unistd.h>

#include "ingot/checkpoint.h"

#include "bench/open/open.h"
#include "bench/support/descriptor.h"
#include "bench/support/run.h"
#include "format/digest.h"
#include "format/header.h"
#include "format/index_generated.h"
#include "format/validate.h"
#include "io/aligned_buffer.h"

namespace ingot::bench {
namespace {

void read_at(const Descriptor& file, std::uint64_t offset, MutableBytes destination) {
  while (!destination.empty()) {
    ssize_t n =
        pread(file.get(), destination.data(), destination.size(), static_cast<off_t>(offset));
    if (n <= 0) throw_errno("pread");
    destination = destination.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

// What open() works on, made ready once.
struct IndexBytes {
  explicit IndexBytes(const std::string& file_path)
      : path(file_path), file(file_path, O_RDONLY), header(read_header()) {
    index = or_throw(io::AlignedBuffer::allocate(header.index_bytes));
    read_at(file, header.index_offset, index.bytes());
    digests = or_throw(io::AlignedBuffer::allocate(header.digests_bytes));
    read_at(file, header.digests_offset, digests.bytes());
  }

  format::Header read_header() const {
    format::HeaderPage page;
    read_at(file, 0, page);
    return or_throw(format::decode_header(page, path, Region::kHeader));
  }

  std::string path;
  Descriptor file;
  format::Header header;
  io::AlignedBuffer index;
  io::AlignedBuffer digests;
};

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

bool validate(const IndexBytes& in) {
  return format::validate_index(in.index.bytes(), in.header, {}, in.path).ok();
}

using Work = bool (*)(const IndexBytes&);

void measure(benchmark::State& state, const std::string& path, Work work) {
  IndexBytes in(path);
  for (auto _ : state) {
    bool good = false;
    state.SetIterationTime(time_of([&] { good = work(in); }));
    if (!good) return state.SkipWithError("the index is not intact");
  }
}

}  // namespace

void register_open_ceiling(const std::string& shape, const std::string& path) {
  auto add = [&](const char* name, Work work) {
    add_benchmark("open", shape, name, Repeat::kAdaptive, [path, work](benchmark::State& state) {
      measure(state, path, work);
    })->Unit(benchmark::kMicrosecond);
  };
  add("ceiling:xxh3+verifier", hash_and_verify);
  add("part:read-index", read_index);
  add("part:hash-index", hash_index);
  add("part:hash-digest-table", hash_digest_table);
  add("part:validate-index", validate);
}

}  // namespace ingot::bench
