// Session::commit(): tail, headers, proof, name.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "format/digest.h"
#include "format/index_view.h"
#include "io/file_system.h"
#include "io/transfer.h"
#include "writer/file_items.h"
#include "writer/read_back.h"
#include "writer/session.h"
#include "writer/take_over.h"

namespace ingot::writer {
namespace {

constexpr std::size_t kNamedMissing = 3;

// A header that no reader would take is not published over a file that they do.
Status check_page(const format::HeaderPage& page, const format::Header& header,
                  std::string_view path) {
  const Result<format::Header> read = format::decode_header(page, path, Region::kHeader);
  if (read.ok() && *read == header) return {};
  return {Code::kInternal,
          "the header of this file is refused: " +
              (read.ok() ? std::string("it reads differently") : read.status().to_string()),
          read.status().location()};
}

}  // namespace

Status Session::commit() {
  if (committing_.exchange(true, std::memory_order_acq_rel)) {
    INGOT_RETURN_IF_ERROR(error_.get());
    return make_error(Code::kInvalidArgument, "commit() twice").file(path_);
  }
  Status status = error_.get();
  if (status.ok()) status = error_.set(commit_checked());
  // Whatever came of it, nothing more is written: the writer may live on for long.
  staging_.reset();
  direct_.reset();
  file_.reset();
  return status;
}

Status Session::commit_checked() {
  INGOT_RETURN_IF_ERROR(check_cancelled());
  INGOT_RETURN_IF_ERROR(check_complete());
  INGOT_RETURN_IF_ERROR(write_tail());
  const std::uint64_t window_bytes = staging_->slot_bytes();
  staging_.reset();  // reading back takes memory of its own
  complete_header();
  INGOT_RETURN_IF_ERROR(check_page(header_page_, header_, path_));
  INGOT_RETURN_IF_ERROR(write_headers());
  if (options_.read_back) INGOT_RETURN_IF_ERROR(read_back_all(window_bytes));
  INGOT_RETURN_IF_ERROR(check_cancelled());
  report_.root = header_.root;
  return file_->publish();
}

Status Session::check_complete() const {
  const std::vector<std::uint32_t> missing = ledger_->missing(kNamedMissing + 1);
  if (missing.empty()) return {};
  std::string names;
  for (std::size_t i = 0; i < missing.size() && i < kNamedMissing; ++i) {
    names += (i == 0 ? "\"" : ", \"") + owner_of(missing[i]) + "\"";
  }
  if (missing.size() > kNamedMissing) names += " and more";
  return make_error(Code::kInvalidArgument,
                    "commit() before all bytes were written; missing " + names)
      .file(path_);
}

Status Session::write_region(std::uint64_t offset, Bytes bytes, std::uint64_t padding_after) {
  while (!bytes.empty()) {
    INGOT_ASSIGN_OR_RETURN(const Reservation reservation,
                           staging_->reserve({.offset = offset,
                                              .bytes = bytes.size(),
                                              .padding_after = padding_after,
                                              .counted = false}));
    const Bytes part = bytes.first(reservation.memory.size());
    staging_->finish(reservation, take_over(part, reservation.memory));
    offset += part.size();
    bytes = bytes.subspan(part.size());
  }
  return {};
}

// Digest table and index, the way of the data; then waits until all of it is in the file.
Status Session::write_tail() {
  const Bytes xxh3 = ledger_->xxh3_column();
  const Bytes sha256 = ledger_->sha256_column();
  const std::uint64_t digests_end = tail_.digests_offset + tail_.digests_bytes;
  const std::uint64_t digests_padding = tail_.index_offset - digests_end;
  INGOT_RETURN_IF_ERROR(
      write_region(tail_.digests_offset, xxh3, sha256.empty() ? digests_padding : 0));
  INGOT_RETURN_IF_ERROR(write_region(tail_.digests_offset + xxh3.size(), sha256, digests_padding));
  const std::uint64_t index_end = tail_.index_offset + tail_.index_bytes;
  INGOT_RETURN_IF_ERROR(
      write_region(tail_.index_offset, index_, tail_.second_header_offset - index_end));
  return staging_->drain();
}

void Session::complete_header() {
  format::StreamingDigest digests;
  digests.update(ledger_->xxh3_column());
  digests.update(ledger_->sha256_column());
  header_.digests_digest = digests.finish();
  header_.index_digest = format::xxh3_128(index_);
  header_.uuid = options_.uuid ? *options_.uuid : format::derive_uuid(header_);
  header_.save_id = options_.save_id ? *options_.save_id : format::derive_save_id(header_);
  if (options_.sha256) {
    header_.root_sha256 = format::compute_root_sha256(header_, format::sha256(index_),
                                                      format::sha256(ledger_->sha256_column()));
  }
  header_page_ = format::encode_header(header_);
}

// The first page last: until it is there, the file is none.
Status Session::write_headers() {
  io::File& file = file_->file();
  INGOT_RETURN_IF_ERROR(io::write_all(file, tail_.second_header_offset, header_page_));
  return io::write_all(file, 0, header_page_);
}

// Through O_DIRECT where the data went that way; else the page cache is emptied first, as far as
// the kernel does so.
Status Session::read_back_all(std::uint64_t window_bytes) {
  io::File& file = file_->file();
  if (options_.durability == Durability::kFull) INGOT_RETURN_IF_ERROR(file.sync());
  INGOT_RETURN_IF_ERROR(file.advise(io::Advice::kDontNeed, 0, tail_.file_bytes));
  INGOT_ASSIGN_OR_RETURN(
      auto queue,
      io::open_queue({.kind = tail_.file_bytes <= tuning_.synchronous_bytes
                                  ? io::QueueKind::kSynchronous
                                  : tuning_.queue,
                      .depth = tuning_.queue_depth,
                      .has_descriptors = io::or_posix(options_.file_system).has_descriptors()}));
  FileItems items(*ledger_, header_, header_page_);
  ReadBackOptions options{.path = path_,
                          .file_bytes = tail_.file_bytes,
                          .window_bytes = window_bytes,
                          .cancelled = [this] { return cancelled(); },
                          .next_item = [&] { return items.next(); },
                          .owner_of = [this](std::uint32_t storage) { return owner_of(storage); }};
  return read_back(direct_ ? *direct_ : file, std::move(queue), options);
}

std::string Session::owner_at(std::uint64_t file_offset) const {
  const auto storage = format::IndexView(index_).storage_at(file_offset);
  return storage ? owner_of(*storage) : std::string();
}

std::string Session::owner_of(std::uint32_t storage) const {
  return std::string(format::IndexView(index_).owner_of_storage(storage));
}

}  // namespace ingot::writer
