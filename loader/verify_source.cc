#include "loader/verify_source.h"

#include <algorithm>
#include <new>

#include "base/checked.h"
#include "base/error.h"
#include "format/constants.h"
#include "io/transfer.h"

namespace ingot::loader {
namespace {

// Populated at once: few calls, and a short while between the check and the use.
constexpr std::uint64_t kMappedPiece = std::uint64_t{4} << 20;

}  // namespace

Result<std::unique_ptr<BufferedSource>> BufferedSource::make(io::File& file,
                                                             std::uint64_t buffer_bytes) {
  Memory memory(new (std::nothrow) std::byte[static_cast<std::size_t>(buffer_bytes)]);
  if (memory == nullptr) {
    return make_error(Code::kResourceExhausted, "no memory for a buffer")
        .file(file.path())
        .expected(human_bytes(buffer_bytes));
  }
  return std::unique_ptr<BufferedSource>(new BufferedSource(file, std::move(memory), buffer_bytes));
}

Result<Bytes> BufferedSource::fetch(std::uint64_t offset, std::uint64_t bytes) {
  const MutableBytes piece(memory_.get(), static_cast<std::size_t>(bytes));
  INGOT_RETURN_IF_ERROR(io::read_exact(file_, offset, piece));
  return Bytes(piece);
}

std::uint64_t MappedSource::max_bytes() const { return kMappedPiece; }

Result<Bytes> MappedSource::fetch(std::uint64_t offset, std::uint64_t bytes) {
  INGOT_RETURN_IF_ERROR(mapping_.populate(offset, bytes));
  return Bytes(mapping_.bytes())
      .subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(bytes));
}

Result<std::unique_ptr<DirectSource>> DirectSource::make(io::File& file,
                                                         std::uint64_t buffer_bytes) {
  INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer buffer,
                         io::AlignedBuffer::allocate(buffer_bytes + 2 * format::kPageBytes));
  return std::unique_ptr<DirectSource>(new DirectSource(file, std::move(buffer)));
}

std::uint64_t DirectSource::max_bytes() const { return buffer_.size() - 2 * format::kPageBytes; }

Result<Bytes> DirectSource::fetch(std::uint64_t offset, std::uint64_t bytes) {
  const std::uint64_t begin = align_down(offset, format::kPageBytes);
  const std::uint64_t end = align_up(offset + bytes, format::kPageBytes);
  const MutableBytes pages = buffer_.bytes().first(static_cast<std::size_t>(end - begin));
  INGOT_RETURN_IF_ERROR(io::read_exact(file_, begin, pages));
  return Bytes(pages).subspan(static_cast<std::size_t>(offset - begin),
                              static_cast<std::size_t>(bytes));
}

void verify_items(VerifyJob& job, UnitScan& scan, std::uint64_t end, ByteSource& careful) {
  scan.restart_item();
  while (!scan.done() && scan.position() < end && job.wants(scan.position())) {
    const std::uint64_t item_end = scan.item_end();
    while (scan.position() < item_end) {
      const std::uint64_t bytes = std::min(careful.max_bytes(), item_end - scan.position());
      Result<Bytes> piece = careful.fetch(scan.position(), bytes);
      if (!piece.ok()) {
        scan.fail(piece.status());
        break;
      }
      scan.feed(*piece);
    }
  }
}

void verify_units(VerifyJob& job, ByteSource& fast, ByteSource& careful) {
  UnitScan scan(job.state, {.padding = job.plan.checks_padding()}, job.errors);
  while (const std::optional<Stretch> unit = job.take()) {
    scan.begin(*unit);
    while (!scan.done() && job.wants(scan.position())) {
      const std::uint64_t bytes = std::min(fast.max_bytes(), unit->end - scan.position());
      Result<Bytes> piece = fast.fetch(scan.position(), bytes);
      if (piece.ok()) {
        scan.feed(*piece);
      } else {
        verify_items(job, scan, scan.position() + bytes, careful);
      }
    }
    job.finished(scan.position() - unit->begin);
  }
  job.add_chunks(scan.chunks());
}

}  // namespace ingot::loader
