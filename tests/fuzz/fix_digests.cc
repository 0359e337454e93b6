#include "tests/fuzz/fix_digests.h"

#include <array>

#include "base/checked.h"
#include "format/constants.h"
#include "format/digest.h"

namespace ingot::fuzz {

namespace {

namespace at = format::header_at;

void store_digest(MutableBytes page, std::size_t offset, const Digest128& digest) {
  store_le(page, offset, digest.low);
  store_le(page, offset + 8, digest.high);
}

// The range that two header fields name, or nothing when it is outside of the file.
MutableBytes region(MutableBytes file, std::size_t offset_field, std::size_t bytes_field) {
  const auto offset = load_le<std::uint64_t>(file, offset_field);
  const auto bytes = load_le<std::uint64_t>(file, bytes_field);
  if (!range_in(offset, bytes, file.size())) return {};
  return file.subspan(offset, bytes);
}

}  // namespace

void fix_regions(MutableBytes page, Bytes digests, Bytes index) {
  if (page.size() < format::kPageBytes) return;
  store_digest(page, at::kDigestsDigest, format::xxh3_128(digests));
  store_digest(page, at::kIndexDigest, format::xxh3_128(index));
}

void fix_header(MutableBytes page) {
  if (page.size() < format::kPageBytes) return;
  std::array<std::byte, format::kRootInputBytes> root_input{};
  std::memcpy(root_input.data(), page.data(), at::kRoot);
  store_digest(page, at::kRoot, format::xxh3_128(root_input));
  store_digest(page, at::kHeaderDigest, format::xxh3_128(page.first(at::kHeaderDigest)));
}

void fix_file(MutableBytes file) {
  if (file.size() < 2 * format::kPageBytes) return;
  fix_regions(file, region(file, at::kDigestsOffset, at::kDigestsBytes),
              region(file, at::kIndexOffset, at::kIndexBytes));
  fix_header(file);
  const MutableBytes second = file.last(format::kPageBytes);
  if (second.data() != file.data()) std::memcpy(second.data(), file.data(), second.size());
}

}  // namespace ingot::fuzz
