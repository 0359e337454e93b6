// What the whole file must be, item by item in file order: for reading it back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ingot/digest.h"
#include "ingot/status.h"

#include "format/header.h"
#include "writer/ledger.h"

namespace ingot::writer {

// A run of bytes of the file and what it must be.
struct FileItem {
  std::uint64_t begin = 0;        // from file start
  std::uint64_t end = 0;          // after `begin`
  Region region = Region::kNone;  // kPadding: must be zero; else the digest must match
  Digest128 digest = {};
  std::uint32_t storage = 0;  // kData
  std::uint64_t chunk = 0;    // kData: within the storage
  std::uint64_t chunks = 0;   // kData: of the storage
};

// Header, every chunk, digest table, index, second header, and the padding between them. The items
// cover the file without gaps. Refers to ledger and header.
class FileItems {
 public:
  FileItems(const Ledger& ledger, const format::Header& header, const format::HeaderPage& page);

  // REQUIRES: the last item was not returned yet.
  FileItem next();

 private:
  enum class Stage { kHeader, kData, kDigests, kIndex, kSecondHeader, kEnd };

  FileItem upcoming() const;
  FileItem chunk_item() const;
  void advance();
  void skip_empty();
  std::uint64_t chunks() const;

  const Ledger& ledger_;
  const format::Header& header_;
  Digest128 page_digest_;
  Stage stage_ = Stage::kHeader;
  std::size_t storage_ = 0;
  std::uint64_t chunk_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace ingot::writer
