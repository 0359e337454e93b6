// What open() works on, and the parts that it is made of, one by one.
#pragma once

#include <memory>
#include <string>

#include "format/header.h"
#include "io/aligned_buffer.h"
#include "io/file.h"

namespace ingot::bench {

// Header, index and digest table of a file, the latter two in memory as open() has them.
struct IndexBytes {
  explicit IndexBytes(const std::string& file_path);

  std::string path;
  std::unique_ptr<io::File> file;
  format::Header header;
  io::AlignedBuffer index;
  io::AlignedBuffer digests;
};

// False when something is not as it must be.
using IndexPart = bool (*)(const IndexBytes&);

// The ceiling of open: the two things that cannot be left out.
bool hash_and_verify(const IndexBytes& in);
// Into memory that is new, by open()'s own function.
bool read_index(const IndexBytes& in);
bool hash_index(const IndexBytes& in);
bool hash_digest_table(const IndexBytes& in);
// The rules of the format.
bool validate_index(const IndexBytes& in);

}  // namespace ingot::bench
