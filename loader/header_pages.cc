#include "loader/header_pages.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "io/transfer.h"

namespace ingot::loader {
namespace {

using format::Header;
using format::HeaderPage;
using format::kPageBytes;

constexpr std::string_view kRepairAdvice = "the second copy is intact: run `ingot repair`";

std::string bytes_text(std::uint64_t bytes) { return std::to_string(bytes) + " bytes"; }

// `begin` is what the file begins with, as much of a magic as there is.
ErrorBuilder no_magic(std::string_view what, std::string_view path, std::uint64_t file_bytes,
                      Bytes begin) {
  return make_error(Code::kCorrupt, what)
      .file(path)
      .at(Region::kHeader, 0, std::min(file_bytes, kPageBytes))
      .expected(format::hex_bytes(std::as_bytes(std::span(format::kMagic))))
      .found(begin.empty() ? "nothing" : format::hex_bytes(begin));
}

Status not_ingot(std::string_view path, std::uint64_t file_bytes, Bytes begin) {
  return no_magic("F-01: not an Ingot file: no magic", path, file_bytes, begin);
}

// A first page whose digest is wrong.
ErrorBuilder damaged(std::string_view what, std::string_view path, const HeaderPage& page) {
  const format::PageDigests digests = format::page_digests(page);
  return make_error(Code::kCorrupt, what)
      .file(path)
      .at(Region::kHeader, 0, kPageBytes)
      .expected(to_string(digests.stored))
      .found(to_string(digests.computed));
}

// A file without room for two pages.
Status too_short(io::File& file, std::uint64_t file_bytes) {
  std::array<std::byte, format::kMagic.size()> begin{};
  MutableBytes present = MutableBytes(begin).first(
      static_cast<std::size_t>(std::min<std::uint64_t>(file_bytes, begin.size())));
  INGOT_RETURN_IF_ERROR(io::read_exact(file, 0, present));
  if (std::memcmp(begin.data(), format::kMagic.data(), present.size()) != 0) {
    return not_ingot(file.path(), file_bytes, present);
  }
  return make_error(Code::kTruncated, "F-18: the file is shorter than its two header pages")
      .file(file.path())
      .at(Region::kFile)
      .expected("at least " + bytes_text(2 * kPageBytes))
      .found(bytes_text(file_bytes));
}

// Whether two pages without a digest that this version knows are those of a newer one. Both must
// say so, and neither may be a page of this version whose version number alone is damaged.
bool is_newer_format(const HeaderPages& pages) {
  const std::uint16_t major = format::peek_major(pages.first);
  if (major <= format::kMajor || major != format::peek_major(pages.second)) return false;
  HeaderPage page = pages.first;
  store_le(MutableBytes(page), format::header_at::kMajor, format::kMajor);
  return !format::decode_header(page, {}, Region::kHeader).ok();
}

// Why a first page whose digest or magic is wrong cannot be used.
Status diagnose_first(const HeaderPages& pages, std::string_view path) {
  Result<Header> second = format::decode_header(pages.second, path, Region::kSecondHeader);
  const bool zero = first_nonzero(pages.first) == kPageBytes;
  const Bytes begin = Bytes(pages.first).first(format::kMagic.size());
  if (second.ok()) {
    INGOT_RETURN_IF_ERROR(check_length(pages, *second, path));
    if (!zero) {
      return damaged("F-02: the first header page is damaged", path, pages.first)
          .advice(kRepairAdvice);
    }
    return no_magic(
               "F-01: the first header page is all zeros: the file was never committed, or "
               "the page was lost,",
               path, kPageBytes, begin)
        .advice(kRepairAdvice);
  }
  // Intact, and of a newer version or breaking a rule: that is what the first page was too.
  if (second.status().code() != Code::kCorrupt) return second.status();

  if (is_newer_format(pages)) {
    return make_error(Code::kUnsupported, "F-03: the format version is newer than this library")
        .file(path)
        .at(Region::kHeader)
        .expected(std::to_string(format::kMajor))
        .found(format::peek_major(pages.first));
  }
  if (zero) {
    return no_magic("F-01: the header page is all zeros: the file was never committed,", path,
                    kPageBytes, begin);
  }
  if (!format::has_magic(pages.first) && !format::has_magic(pages.second)) {
    return not_ingot(path, pages.file_bytes, begin);
  }
  return damaged("F-02: both header pages are damaged, the first", path, pages.first);
}

Status second_differs(const HeaderPages& pages, std::string_view path) {
  const auto from = std::mismatch(pages.first.begin(), pages.first.end(), pages.second.begin());
  const auto begin = static_cast<std::uint64_t>(from.first - pages.first.begin());
  const bool both = format::decode_header(pages.second, path, Region::kSecondHeader).ok();
  return make_error(Code::kCorrupt, "F-17: the second copy differs from the first")
      .file(path)
      .at(Region::kSecondHeader, pages.second_offset() + begin, pages.second_offset() + begin + 1)
      .expected(hex(std::to_integer<std::uint64_t>(*from.first)))
      .found(hex(std::to_integer<std::uint64_t>(*from.second)))
      .advice(both ? "both are intact: pages of different saves"
                   : "the first copy is intact: run `ingot repair`");
}

}  // namespace

Result<HeaderPages> read_header_pages(io::File& file, const io::FileStat& stat) {
  if (!stat.regular()) {
    return make_error(Code::kInvalidArgument, "not a regular file")
        .file(file.path())
        .found(io::kind_name(stat.kind));
  }
  if (stat.bytes < 2 * kPageBytes) return too_short(file, stat.bytes);
  HeaderPages pages;
  pages.file_bytes = stat.bytes;
  INGOT_RETURN_IF_ERROR(io::read_exact(file, 0, pages.first));
  INGOT_RETURN_IF_ERROR(io::read_exact(file, pages.second_offset(), pages.second));
  return pages;
}

Status check_length(const HeaderPages& pages, const Header& header, std::string_view path) {
  if (pages.file_bytes == header.file_bytes) return {};
  return make_error(Code::kTruncated, "F-18: the file has " + bytes_text(pages.file_bytes) +
                                          ", its header says " + bytes_text(header.file_bytes))
      .file(path)
      .at(Region::kFile)
      .expected(header.file_bytes)
      .found(pages.file_bytes);
}

Result<Header> check_header_pages(const HeaderPages& pages, std::string_view path) {
  Result<Header> first = format::decode_header(pages.first, path, Region::kHeader);
  if (!first.ok()) {
    // Any other code is of a page whose digest is right.
    if (first.status().code() != Code::kCorrupt) return first.status();
    return diagnose_first(pages, path);
  }
  INGOT_RETURN_IF_ERROR(check_length(pages, *first, path));
  if (pages.first != pages.second) return second_differs(pages, path);
  return first;
}

}  // namespace ingot::loader
