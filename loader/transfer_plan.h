// Cuts a load into transfers: ranges of the file that are read at once, each with what it brings.
// Pure arithmetic on the index.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ingot/status.h"

#include "loader/checkpoint_state.h"
#include "loader/load_pieces.h"
#include "loader/verify_plan.h"

namespace ingot::loader {

struct TransferOptions {
  std::uint64_t max_bytes = 0;  // of one transfer; when verifying at least a chunk
  bool whole_chunks = true;     // read every chunk that is touched as a whole, to hash it
  // Bytes that nobody asked for are read with those beside them when they are no more than this:
  // a transfer costs more than they do.
  std::uint64_t max_gap = std::uint64_t{128} << 10;
};

// Reads [begin, end) of the file.
struct Transfer {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t first_piece = 0;
  std::uint64_t piece_count = 0;
  std::uint64_t first_range = 0;
  std::uint64_t range_count = 0;

  std::uint64_t bytes() const { return end - begin; }
};

// Immutable once made.
class TransferPlan {
 public:
  // Takes pieces in any order, and gives them back cut and sorted.
  static TransferPlan make(const Checkpoint::State& state, std::vector<Piece> pieces,
                           const TransferOptions& options);

  std::span<const Transfer> transfers() const { return transfers_; }
  // What to copy out of a transfer, by source. All of it lies within the transfer.
  std::span<const Piece> pieces(const Transfer& transfer) const {
    return std::span(pieces_).subspan(transfer.first_piece, transfer.piece_count);
  }
  // The parts of a transfer that were asked for, in file order; when verifying, whole chunks and
  // the zeros between them. What lies between two of them was read for convenience alone.
  std::span<const Stretch> ranges(const Transfer& transfer) const {
    return std::span(ranges_).subspan(transfer.first_range, transfer.range_count);
  }
  std::span<const Piece> pieces() const { return pieces_; }
  std::uint64_t bytes_read() const;

 private:
  std::vector<Transfer> transfers_;
  std::vector<Piece> pieces_;
  std::vector<Stretch> ranges_;
};

}  // namespace ingot::loader
