#include "ingot/repair.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "format/digest.h"
#include "io/aligned_buffer.h"
#include "io/file_system.h"
#include "io/transfer.h"
#include "loader/header_pages.h"

namespace ingot {
namespace {

using format::Header;
using format::HeaderPage;
using loader::HeaderPages;

constexpr std::uint64_t kBufferBytes = std::uint64_t{1} << 20;

Result<Digest128> digest_of_range(io::File& file, std::uint64_t offset, std::uint64_t bytes) {
  INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer buffer, io::AlignedBuffer::allocate(kBufferBytes));
  format::StreamingDigest digest;
  while (bytes > 0) {
    const std::uint64_t n = std::min(bytes, kBufferBytes);
    const MutableBytes piece = buffer.bytes().first(static_cast<std::size_t>(n));
    INGOT_RETURN_IF_ERROR(io::read_exact(file, offset, piece));
    digest.update(piece);
    offset += n;
    bytes -= n;
  }
  return digest.finish();
}

// Whether index and digest table are those that the header was written for: only then does its
// page belong to this file, and only then is it worth copying.
Result<bool> fits(io::File& file, const Header& header) {
  INGOT_ASSIGN_OR_RETURN(const Digest128 index,
                         digest_of_range(file, header.index_offset, header.index_bytes));
  INGOT_ASSIGN_OR_RETURN(const Digest128 table,
                         digest_of_range(file, header.digests_offset, header.digests_bytes));
  return index == header.index_digest && table == header.digests_digest;
}

// A page as repair sees it.
struct Copy {
  Result<Header> header;
  bool fits = false;
};

Result<Copy> examine(io::File& file, const HeaderPages& pages, const HeaderPage& page,
                     Region region) {
  Copy copy{format::decode_header(page, file.path(), region)};
  // Intact, but of a newer version or hostile: not a case for repair.
  if (!copy.header.ok() && copy.header.status().code() != Code::kCorrupt) {
    return copy.header.status();
  }
  if (copy.header.ok() && copy.header->file_bytes == pages.file_bytes) {
    INGOT_ASSIGN_OR_RETURN(copy.fits, fits(file, *copy.header));
  }
  return copy;
}

Status no_good_copy(const HeaderPages& pages, const Copy& first, const Copy& second,
                    const std::string& path) {
  // An intact page that fails on the length says more than a damaged one.
  for (const Copy* copy : {&first, &second}) {
    if (copy->header.ok()) INGOT_RETURN_IF_ERROR(check_length(pages, *copy->header, path));
  }
  const bool intact = first.header.ok() || second.header.ok();
  return make_error(Code::kCorrupt, intact ? "index or digest table are not those of the intact "
                                             "header: nothing to repair from"
                                           : "both header pages are damaged")
      .file(path)
      .at(Region::kHeader, 0, format::kPageBytes);
}

// Which page to rewrite.
Result<HeaderCopy> diagnose(io::File& file, const HeaderPages& pages) {
  INGOT_ASSIGN_OR_RETURN(const Copy first, examine(file, pages, pages.first, Region::kHeader));
  INGOT_ASSIGN_OR_RETURN(const Copy second,
                         examine(file, pages, pages.second, Region::kSecondHeader));
  if (first.fits && second.fits) {
    if (pages.first == pages.second) return HeaderCopy::kNone;
    return make_error(Code::kCorrupt, "F-17: both header pages are intact and fit, but differ")
        .file(file.path())
        .at(Region::kSecondHeader, pages.second_offset(), pages.file_bytes);
  }
  if (first.fits) return HeaderCopy::kSecond;
  if (second.fits) return HeaderCopy::kFirst;
  return no_good_copy(pages, first, second, file.path());
}

// `examined` is the file that the diagnosis is of: the name may be another's by now.
Status rewrite(io::FileSystem& file_system, std::string_view path, const io::FileStat& examined,
               std::uint64_t offset, const HeaderPage& page) {
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<io::File> file,
                         file_system.open(path, io::Access::kReadWrite));
  INGOT_ASSIGN_OR_RETURN(const io::FileStat stat, file->stat());
  if (stat.inode != examined.inode || stat.device != examined.device ||
      stat.bytes != examined.bytes) {
    return make_error(Code::kIoError, "the file was replaced while it was examined").file(path);
  }
  INGOT_RETURN_IF_ERROR(io::write_all(*file, offset, page));
  INGOT_RETURN_IF_ERROR(file->sync());
  return file->close();
}

std::string describe(HeaderCopy repaired, bool dry_run) {
  switch (repaired) {
    case HeaderCopy::kNone:
      return "both header pages are intact and equal: nothing to do";
    case HeaderCopy::kFirst:
      return dry_run ? "the first header page is damaged: would be rewritten from the second"
                     : "the first header page was damaged: rewritten from the second";
    case HeaderCopy::kSecond:
      return dry_run ? "the second header page is damaged: would be rewritten from the first"
                     : "the second header page was damaged: rewritten from the first";
  }
  return {};
}

}  // namespace

Result<RepairReport> repair_header(std::string_view path, const RepairOptions& options) {
  io::FileSystem& file_system = io::or_posix(options.file_system);
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<io::File> file,
                         file_system.open(path, io::Access::kRead));
  INGOT_ASSIGN_OR_RETURN(const io::FileStat stat, file->stat());
  INGOT_ASSIGN_OR_RETURN(const HeaderPages pages, loader::read_header_pages(*file, stat));
  RepairReport report;
  INGOT_ASSIGN_OR_RETURN(report.repaired, diagnose(*file, pages));
  report.what = describe(report.repaired, options.dry_run);
  if (report.repaired == HeaderCopy::kNone || options.dry_run) return report;

  if (report.repaired == HeaderCopy::kFirst) {
    INGOT_RETURN_IF_ERROR(rewrite(file_system, path, stat, 0, pages.second));
  } else {
    INGOT_RETURN_IF_ERROR(rewrite(file_system, path, stat, pages.second_offset(), pages.first));
  }
  OpenOptions proof;
  proof.file_system = options.file_system;
  INGOT_RETURN_IF_ERROR(Checkpoint::open(path, proof).status());
  return report;
}

}  // namespace ingot
