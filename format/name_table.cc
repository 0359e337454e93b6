#include "format/name_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/bytes.h"
#include "format/digest.h"

namespace ingot::format {
namespace {

constexpr std::size_t kPerBucket = 16;
constexpr int kMaxBits = 16;

// Into buckets by the upper bits, in ascending order of those. Hashes are spread evenly, so that
// what is left to be sorted are many small buckets.
std::vector<NameHash> by_upper_bits(const std::vector<NameHash>& entries, int bits,
                                    std::vector<std::size_t>& ends) {
  const auto bucket_of = [&](const NameHash& entry) { return entry.hash >> (64 - bits); };
  std::vector<std::size_t> next((std::size_t{1} << bits) + 1, 0);
  for (const NameHash& entry : entries) ++next[bucket_of(entry) + 1];
  for (std::size_t i = 1; i < next.size(); ++i) next[i] += next[i - 1];
  std::vector<NameHash> sorted(entries.size());
  for (const NameHash& entry : entries) sorted[next[bucket_of(entry)]++] = entry;
  next.pop_back();
  ends = std::move(next);
  return sorted;
}

}  // namespace

std::vector<NameHash> make_name_table(std::size_t count, const NameAt& name_at) {
  std::vector<NameHash> table(count);
  for (std::size_t i = 0; i < count; ++i) {
    table[i] = {.hash = xxh3_64(as_bytes(name_at(i))), .tensor = static_cast<std::uint32_t>(i)};
  }
  std::vector<std::size_t> ends = {count};
  const int bits = std::min(static_cast<int>(std::bit_width(count / kPerBucket)), kMaxBits);
  if (bits > 0) table = by_upper_bits(table, bits, ends);
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    const auto at = [&](std::size_t i) { return table.begin() + static_cast<std::ptrdiff_t>(i); };
    std::sort(at(begin), at(end), [&](const NameHash& a, const NameHash& b) {
      if (a.hash != b.hash) return a.hash < b.hash;
      return name_at(a.tensor) < name_at(b.tensor);
    });
    begin = end;
  }
  return table;
}

}  // namespace ingot::format
