#include "loader/device_proof.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "loader/chunk_error.h"
#include "loader/verify_items.h"

namespace ingot::loader {
namespace {

// Chunks that are hashed by one call.
constexpr std::size_t kBatch = 4096;

// Looks for the pieces that touch a chunk, for chunks in file order. Pieces are in file order, too.
class PieceSweep {
 public:
  explicit PieceSweep(std::span<const Piece> pieces) : pieces_(pieces) {}

  // Calls visit(const Piece&) for each piece that has a byte of [begin, end).
  template <typename Visit>
  void touching(std::uint64_t begin, std::uint64_t end, Visit&& visit) {
    while (!pieces_.empty() && pieces_.front().source_end() <= begin) pieces_ = pieces_.subspan(1);
    for (const Piece& piece : pieces_) {
      if (piece.source >= end) break;
      if (piece.source_end() > begin) visit(piece);
    }
  }

 private:
  std::span<const Piece> pieces_;  // not known to lie before the chunk
};

bool holds(const Piece& piece, const Item& item) {
  return piece.rows == 1 && piece.source <= item.begin && item.end <= piece.source_end();
}

// Calls visit(Item) for every chunk of the transfer that was asked for, until it returns false.
template <typename Visit>
bool for_each_chunk(const Transfer& transfer, const StreamJob& job, Visit&& visit) {
  ItemCursor cursor(job.state);
  for (const Stretch& range : job.setup.transfers.ranges(transfer)) {
    cursor.seek(range.begin);
    Item item;
    while (cursor.next(&item) && item.begin < range.end) {
      if (item.kind == Item::Kind::kChunk && !visit(item)) return false;
    }
  }
  return true;
}

class DeviceProof {
 public:
  explicit DeviceProof(StreamJob& job) : job_(job), batches_(job.setup.devices.size()) {}

  Status add(const Transfer& transfer) {
    if (!arrives_whole(transfer, job_)) return {};
    PieceSweep sweep(job_.setup.transfers.pieces(transfer));
    Status status;
    for_each_chunk(transfer, job_, [&](const Item& item) {
      // A chunk that goes to several places is proven in each.
      sweep.touching(item.begin, item.end, [&](const Piece& piece) {
        if (status.ok()) status = add(item, piece);
      });
      return status.ok();
    });
    return status;
  }

  Status finish() {
    for (std::uint32_t device = 0; device < batches_.size(); ++device) {
      INGOT_RETURN_IF_ERROR(flush(device));
    }
    return {};
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Batch {
    std::vector<DeviceSpan> spans;
    std::vector<Item> items;
  };

  Status add(const Item& item, const Piece& piece) {
    Batch& batch = batches_[piece.device];
    batch.spans.push_back({piece.memory() + (item.begin - piece.source), item.end - item.begin});
    batch.items.push_back(item);
    return batch.items.size() == kBatch ? flush(piece.device) : Status();
  }

  Status flush(std::uint32_t device) {
    Batch& batch = batches_[device];
    if (batch.items.empty()) return {};
    digests_.resize(batch.items.size());
    Status status = job_.setup.devices[device]->digest(batch.spans, digests_);
    if (!status.ok()) {
      job_.fail_digest(batch.items.front().begin, batch.items.back().end, status);
      return status;
    }
    for (std::size_t i = 0; i < batch.items.size(); ++i) compare(batch.items[i], digests_[i]);
    batch.spans.clear();
    batch.items.clear();
    return {};
  }

  void compare(const Item& item, const Digest128& found) {
    bytes_ += item.end - item.begin;
    const Digest128 expected = job_.state.chunk_digest(item.digest);
    if (found == expected) return;
    const ChunkRange range =
        chunk_range(job_.state.storage(item.storage), job_.state.info.chunk_bytes, item.chunk);
    ErrorBuilder error = checksum_error(job_.state.path(), range, expected, found);
    error.advice("as it arrived in the memory of the device");
    job_.errors.add(item.begin, item.storage, error);
  }

  StreamJob& job_;
  std::vector<Batch> batches_;  // by number of the device
  std::vector<Digest128> digests_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

bool arrives_whole(const Transfer& transfer, const StreamJob& job) {
  PieceSweep sweep(job.setup.transfers.pieces(transfer));
  return for_each_chunk(transfer, job, [&](const Item& item) {
    bool whole = true;
    sweep.touching(item.begin, item.end, [&](const Piece& piece) {
      whole = whole && holds(piece, item) && job.setup.can_hash[piece.device];
    });
    return whole;
  });
}

Status prove_on_device(StreamJob& job, std::uint64_t* verified) {
  DeviceProof proof(job);
  for (const Transfer& transfer : job.setup.transfers.transfers()) {
    if (job.stopped()) return {};
    INGOT_RETURN_IF_ERROR(proof.add(transfer));
  }
  INGOT_RETURN_IF_ERROR(proof.finish());
  *verified += proof.bytes();
  return {};
}

}  // namespace ingot::loader
