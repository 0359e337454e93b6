#include "tools/diff/compare_bytes.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/cancel.h"
#include "base/checked.h"

namespace ingot::tools {
namespace {

constexpr std::uint64_t kPartBytes = std::uint64_t{8} << 20;

// Elements of a part, so that it is a whole number of bytes and of either side's chunks, and about
// kPartBytes where chunks allow.
std::uint64_t part_elements(std::uint64_t bits_a, std::uint64_t bits_b, std::uint64_t chunk) {
  const std::uint64_t bits = std::max(bits_a, bits_b);
  const std::uint64_t bytes = std::max(kPartBytes, chunk);
  // Elements of 6 bits end with a byte only every fourth: three chunks hold whole ones.
  const std::uint64_t factor = bits_a == 6 || bits_b == 6 ? 3 : 1;
  return bytes * factor * 8 / bits;
}

std::uint64_t bytes_of(std::uint64_t elements, std::uint64_t bits) {
  return ceil_div(elements * bits, 8);
}

}  // namespace

Status BytesComparer::prepare(Side& side, std::uint64_t elements) {
  const std::uint64_t bytes = std::max<std::uint64_t>(bytes_of(elements, side.bits), 1);
  if (side.buffer.size() >= bytes) return {};
  INGOT_ASSIGN_OR_RETURN(side.buffer, io::AlignedBuffer::allocate(bytes));
  return {};
}

Status BytesComparer::load(Side& side, std::uint64_t first, std::uint64_t elements) {
  if (side.loaded) return {};
  side.part = side.buffer.bytes().first(static_cast<std::size_t>(bytes_of(elements, side.bits)));
  INGOT_RETURN_IF_ERROR(side.bytes->read(first * side.bits / 8, side.part));
  bytes_read_ += side.part.size();
  side.loaded = true;
  return {};
}

// Whether the digest stored for a chunk of one side is that of the other side's bytes: stored, too,
// or of those just read.
bool BytesComparer::stored_equals(const Side& stored, std::uint64_t chunk, std::uint64_t begin,
                                  std::uint64_t end) const {
  const Side& other = &stored == &a_ ? b_ : a_;
  const Digest128 expected = stored.bytes->chunk_digest(chunk);
  if (!other.loaded) return expected == other.bytes->chunk_digest(chunk);
  return expected == digest_of(other.part.subspan(static_cast<std::size_t>(begin),
                                                  static_cast<std::size_t>(end - begin)));
}

// nullopt when digests cannot tell. A side without digests is read, and hashed.
Result<std::optional<bool>> BytesComparer::equal_by_digests(std::uint64_t first,
                                                            std::uint64_t elements) {
  const std::uint64_t chunk_a = a_.bytes->chunk_bytes();
  const std::uint64_t chunk_b = b_.bytes->chunk_bytes();
  if (chunk_a == 0 && chunk_b == 0) return std::optional<bool>();
  if (chunk_a != 0 && chunk_b != 0 && chunk_a != chunk_b) return std::optional<bool>();
  if (chunk_a == 0) INGOT_RETURN_IF_ERROR(load(a_, first, elements));
  if (chunk_b == 0) INGOT_RETURN_IF_ERROR(load(b_, first, elements));
  const Side& stored = chunk_a != 0 ? a_ : b_;
  const std::uint64_t chunk = stored.bytes->chunk_bytes();
  const std::uint64_t begin = first * a_.bits / 8;
  const std::uint64_t end = begin + bytes_of(elements, a_.bits);
  for (std::uint64_t at = begin; at < end; at += chunk) {
    if (!stored_equals(stored, at / chunk, at - begin, std::min(at + chunk, end) - begin)) {
      return std::optional<bool>(false);
    }
  }
  return std::optional<bool>(true);
}

Result<BytesDiff> BytesComparer::compare(const TensorFacts& a, TensorBytes& bytes_a,
                                         const TensorFacts& b, TensorBytes& bytes_b,
                                         Detail detail) {
  BytesDiff diff;
  const bool same_type = a.dtype == b.dtype;
  if (same_type) {
    const std::optional<WholeDigest> whole = bytes_a.whole_digest();
    if (whole && whole == bytes_b.whole_digest()) return diff;
  }
  a_.bytes = &bytes_a;
  b_.bytes = &bytes_b;
  a_.bits = static_cast<std::uint64_t>(dtype_bits(a.dtype));
  b_.bits = static_cast<std::uint64_t>(dtype_bits(b.dtype));
  const std::uint64_t numel = a.numel();
  const std::uint64_t most = std::min(
      numel,
      part_elements(a_.bits, b_.bits, std::max(bytes_a.chunk_bytes(), bytes_b.chunk_bytes())));
  INGOT_RETURN_IF_ERROR(prepare(a_, most));
  INGOT_RETURN_IF_ERROR(prepare(b_, most));
  ValueComparer values(a.dtype, b.dtype);
  for (std::uint64_t first = 0; first < numel; first += most) {
    if (is_set(cancel_)) return Status(Code::kCancelled, "stopped on request");
    const std::uint64_t count = std::min(most, numel - first);
    a_.loaded = b_.loaded = false;
    std::optional<bool> equal;
    if (same_type) {
      INGOT_ASSIGN_OR_RETURN(equal, equal_by_digests(first, count));
    }
    if (equal == true) {
      values.skip(count);
      continue;
    }
    if (equal == false && detail == Detail::kDiffers) {
      diff.differs = true;
      return diff;
    }
    INGOT_RETURN_IF_ERROR(load(a_, first, count));
    INGOT_RETURN_IF_ERROR(load(b_, first, count));
    values.add(a_.part, b_.part, count);
    if (values.result().differing > 0 && detail == Detail::kDiffers) break;
  }
  diff.differs = values.result().differing > 0;
  if (diff.differs && detail == Detail::kValues) diff.values = values.result();
  return diff;
}

}  // namespace ingot::tools
