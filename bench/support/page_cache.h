// What the page cache holds of a file, and how to change it. Linux.
#pragma once

#include <cstdint>
#include <string>

namespace ingot::bench {

// Bytes of the file that are resident, by mincore(2), in whole pages. Throws on errors.
struct Residency {
  std::uint64_t resident = 0;  // bytes
  std::uint64_t total = 0;     // bytes, rounded up to pages

  bool warm() const { return resident == total; }
  bool cold() const { return resident == 0; }
};
Residency residency(const std::string& path);

// Reads the whole file, a few times where that is needed. True when all of it is then resident.
bool make_warm(const std::string& path);
// fsync, then posix_fadvise(POSIX_FADV_DONTNEED). True when nothing of it is then resident: pages
// that somebody has mapped and touched stay.
bool make_cold(const std::string& path);
// Out of the page cache and in again, by read(2): how fast a file's pages are mapped depends on how
// they came there, and a writer leaves others than a reader. True when all of it is then resident.
bool make_warm_anew(const std::string& path);

}  // namespace ingot::bench
