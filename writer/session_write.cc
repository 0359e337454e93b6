// Session::write(): claim, hash, stage.
#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "base/cancel.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/threads.h"
#include "format/digest.h"
#include "writer/session.h"
#include "writer/take_over.h"

namespace ingot::writer {

// One write() of a large range, shared among threads unit by unit.
struct Session::SharedWrite {
  Session& session;
  const LedgerStorage& storage;
  std::uint64_t offset;
  Bytes bytes;
  std::uint64_t unit_bytes;
  std::atomic<std::uint64_t> next_unit;

  static void work(void* context, int) {
    auto& shared = *static_cast<SharedWrite*>(context);
    while (shared.session.error_.ok() && shared.take_unit()) {
    }
  }

  // Units are cut at multiples of unit_bytes from the storage's begin.
  bool take_unit() {
    const std::uint64_t unit = next_unit.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t begin = std::max(unit * unit_bytes, offset);
    const std::uint64_t end = std::min((unit + 1) * unit_bytes, offset + bytes.size());
    if (begin >= end) return false;
    const Bytes part = bytes.subspan(begin - offset, end - begin);
    static_cast<void>(session.error_.set(session.stage_range(storage, begin, part)));
    return true;
  }
};

Status Session::write(TensorId tensor, Bytes bytes) {
  const auto number = static_cast<std::size_t>(tensor);
  if (number < tensor_storage_.size()) return write(tensor_storage_[number], bytes);
  return error_.set(
      make_error(Code::kInvalidArgument, "no such tensor in the plan").file(path_).found(number));
}

Status Session::write(AttachmentId attachment, Bytes bytes) {
  const auto number = static_cast<std::size_t>(attachment);
  if (number < attachment_storage_.size()) return write(attachment_storage_[number], bytes);
  return error_.set(make_error(Code::kInvalidArgument, "no such attachment in the plan")
                        .file(path_)
                        .found(number));
}

Status Session::write(StorageId storage, Bytes bytes) {
  const auto number = static_cast<std::size_t>(storage);
  if (number < storage_bytes_.size() && storage_bytes_[number] != bytes.size()) {
    return error_.set(make_error(Code::kInvalidArgument, "not all bytes of the storage")
                          .file(path_)
                          .tensor(owner_of(storage_number_[number]))
                          .expected(storage_bytes_[number])
                          .found(bytes.size()));
  }
  return write(storage, 0, bytes);
}

Status Session::write(StorageId storage, std::uint64_t offset, Bytes bytes) {
  if (committing_.load(std::memory_order_acquire)) {
    INGOT_RETURN_IF_ERROR(error_.get());
    return make_error(Code::kInvalidArgument, "write() after commit()").file(path_);
  }
  if (!error_.ok()) return error_.get();
  return error_.set(write_checked(storage, offset, bytes));
}

Status Session::write_checked(StorageId storage, std::uint64_t offset, Bytes bytes) {
  const auto id = static_cast<std::size_t>(storage);
  if (id >= storage_number_.size()) {
    return make_error(Code::kInvalidArgument, "no such storage in the plan").file(path_).found(id);
  }
  const std::uint32_t number = storage_number_[id];
  INGOT_RETURN_IF_ERROR(check_cancelled());
  if (Status status = ledger_->claim(number, offset, bytes.size(), path_); !status.ok()) {
    return {status.code(),
            std::string(status.message()) + " (tensor \"" + owner_of(number) + "\")",
            {.region = Region::kData, .tensor = owner_of(number)}};
  }
  const LedgerStorage& target = ledger_->storages()[number];
  const int threads = options_.threads == 0 ? available_threads() : options_.threads;
  if (threads == 1 || bytes.size() < tuning_.parallel_bytes) {
    return stage_range(target, offset, bytes);
  }
  // Units that fill a slot each, so that threads meet neither in a slot nor in a page.
  SharedWrite shared{.session = *this,
                     .storage = target,
                     .offset = offset,
                     .bytes = bytes,
                     .unit_bytes = std::max(ledger_->chunk_bytes(), tuning_.slot_bytes),
                     .next_unit = 0};
  shared.next_unit = offset / shared.unit_bytes;
  run_on_threads(threads, &SharedWrite::work, &shared);
  return error_.get();
}

Status Session::stage_range(const LedgerStorage& storage, std::uint64_t offset, Bytes bytes) {
  while (!bytes.empty()) {
    Piece piece{.storage = &storage,
                .chunk = offset / ledger_->chunk_bytes(),
                .begin = offset % ledger_->chunk_bytes(),
                .bytes = {}};
    const std::uint64_t room = ledger_->bytes_of_chunk(storage, piece.chunk) - piece.begin;
    piece.bytes = bytes.first(std::min<std::uint64_t>(room, bytes.size()));
    INGOT_RETURN_IF_ERROR(stage_piece(piece));
    offset += piece.bytes.size();
    bytes = bytes.subspan(piece.bytes.size());
  }
  return {};
}

// Hashes and stages a piece, in as many steps as there are slots that it spans. A whole chunk in
// one step, the usual case, is hashed once here; its digest then serves the chunk and the slot.
Status Session::stage_piece(const Piece& piece) {
  const std::uint64_t table_chunk = piece.storage->first_chunk + piece.chunk;
  const std::uint64_t chunk_bytes = ledger_->bytes_of_chunk(*piece.storage, piece.chunk);
  std::unique_ptr<ChunkDigests> digests;
  for (std::uint64_t done = 0; done < piece.bytes.size();) {
    INGOT_RETURN_IF_ERROR(check_cancelled());
    const std::uint64_t left = piece.bytes.size() - done;
    const std::uint64_t offset =
        piece.storage->offset + piece.chunk * ledger_->chunk_bytes() + piece.begin + done;
    const bool to_end = piece.begin + piece.bytes.size() == chunk_bytes &&
                        (piece.chunk + 1) * ledger_->chunk_bytes() >= piece.storage->bytes;
    INGOT_ASSIGN_OR_RETURN(
        const Reservation reservation,
        staging_->reserve({.offset = offset,
                           .bytes = left,
                           .padding_after = to_end ? piece.storage->padding_after : 0}));
    const Bytes source = piece.bytes.subspan(done, reservation.memory.size());
    const Digest128 digest = take_over(source, reservation.memory);
    done += source.size();
    if (source.size() == chunk_bytes) {
      ledger_->receive_last(table_chunk, chunk_bytes, digest,
                            ledger_->has_sha256() ? format::sha256(reservation.memory) : Sha256{});
      staging_->finish(reservation, digest);
      return {};
    }
    // Of the copy, which will be compared with `digest`: the caller's memory may change under us.
    if (!digests) digests = ledger_->take_digests(table_chunk);
    digests->update(reservation.memory);
    staging_->finish(reservation, digest);
  }
  if (piece.begin + piece.bytes.size() < chunk_bytes) {
    ledger_->receive_part(table_chunk, piece.bytes.size(), std::move(digests));
  } else {
    ledger_->receive_last(table_chunk, piece.bytes.size(), digests->xxh3(),
                          ledger_->has_sha256() ? digests->sha256() : Sha256{});
  }
  return {};
}

bool Session::cancelled() const {
  return is_set(options_.cancel) || is_set(options_.second_cancel);
}

Status Session::check_cancelled() const {
  if (!cancelled()) return {};
  return make_error(Code::kCancelled, "cancelled while writing").file(path_);
}

}  // namespace ingot::writer
