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

// The piece that holds all of [begin, end); null when there is none. Pieces are in file order.
const Piece* holder(std::span<const Piece> pieces, std::uint64_t begin, std::uint64_t end) {
  auto after = std::upper_bound(
      pieces.begin(), pieces.end(), begin,
      [](std::uint64_t offset, const Piece& piece) { return offset < piece.source; });
  while (after != pieces.begin()) {
    --after;
    if (after->rows == 1 && after->source_end() >= end) return &*after;
    if (after->source_end() <= begin) break;
  }
  return nullptr;
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
    const std::span<const Piece> pieces = job_.setup.transfers.pieces(transfer);
    Status status;
    for_each_chunk(transfer, job_, [&](const Item& item) {
      const Piece& piece = *holder(pieces, item.begin, item.end);
      Batch& batch = batches_[piece.device];
      batch.spans.push_back(
          {reinterpret_cast<std::byte*>(piece.destination) + (item.begin - piece.source),
           item.end - item.begin});
      batch.items.push_back(item);
      if (batch.items.size() == kBatch) status = flush(piece.device);
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

  Status flush(std::uint32_t device) {
    Batch& batch = batches_[device];
    digests_.resize(batch.items.size());
    INGOT_RETURN_IF_ERROR(job_.setup.devices[device]->digest(batch.spans, digests_));
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
  const std::span<const Piece> pieces = job.setup.transfers.pieces(transfer);
  return for_each_chunk(transfer, job, [&](const Item& item) {
    return holder(pieces, item.begin, item.end) != nullptr;
  });
}

Status prove_on_device(StreamJob& job, std::uint64_t* verified) {
  DeviceProof proof(job);
  for (const Transfer& transfer : job.setup.transfers.transfers()) {
    if (job.cancelled()) return {};
    INGOT_RETURN_IF_ERROR(proof.add(transfer));
  }
  INGOT_RETURN_IF_ERROR(proof.finish());
  *verified += proof.bytes();
  return {};
}

}  // namespace ingot::loader
