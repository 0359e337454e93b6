// decode_header() on arbitrary pages: no crash, and what it accepts encodes to the same page.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "format/header.h"
#include "tests/fuzz/fix_digests.h"
#include "tests/fuzz/mutate.h"

using ingot::format::kPageBytes;

namespace {

namespace at = ingot::format::header_at;

// What this version knows of a page: later minor versions may use the reserved bytes.
ingot::format::HeaderPage without_later_fields(ingot::format::HeaderPage page) {
  if (ingot::load_le<std::uint16_t>(page, at::kMinor) == ingot::format::kMinor) return page;
  std::memset(page.data() + at::kReserved0, 0, at::kUuid - at::kReserved0);
  std::memset(page.data() + at::kReserved1, 0, at::kHeaderDigest - at::kReserved1);
  ingot::fuzz::fix_header(page);
  return page;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ingot::format::HeaderPage page{};
  std::memcpy(page.data(), data, std::min(size, page.size()));
  auto header = ingot::format::decode_header(page, "fuzz", ingot::Region::kHeader);
  if (!header.ok()) return 0;
  ingot::format::Header copy = *header;
  if (ingot::format::encode_header(copy) != without_later_fields(page)) std::abort();
  return 0;
}

#ifdef INGOT_FUZZ
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned int seed) {
  return ingot::fuzz::mutate_then_fix(data, size, max_size, seed, kPageBytes,
                                      ingot::fuzz::fix_header);
}
#endif
