// What a load is made of: runs of bytes of the file, and where they go.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ingot/status.h"

namespace ingot::loader {

// `rows` runs of `width` bytes. Rows of one piece overlap on neither side.
struct Piece {
  std::uint64_t source = 0;       // from file start
  std::uint64_t destination = 0;  // an address of the device, or from the slab's begin
  std::uint64_t width = 0;
  std::uint64_t rows = 1;
  std::uint64_t source_pitch = 0;
  std::uint64_t destination_pitch = 0;
  std::uint32_t device = 0;  // entry of LoadPlan::Rep::devices

  std::uint64_t source_end() const { return source + (rows - 1) * source_pitch + width; }
  std::uint64_t bytes() const { return rows * width; }
  // REQUIRES: `destination` is an address.
  std::byte* memory() const {
    return reinterpret_cast<std::byte*>(destination);  // NOLINT(performance-no-int-to-ptr)
  }
};

// Turns runs, in the order in which a slice has them, into pieces: runs that continue each other
// become one, runs at equal distances become rows. What it keeps is bounded.
class PieceCollector {
 public:
  PieceCollector(std::vector<Piece>& pieces, std::uint32_t device)
      : pieces_(pieces), device_(device) {}

  // kResourceExhausted when a plan has come to too many pieces.
  Status add(std::uint64_t source, std::uint64_t destination, std::uint64_t width);
  void finish();

 private:
  bool continues(std::uint64_t source, std::uint64_t destination, std::uint64_t width);
  bool is_next_row(std::uint64_t source, std::uint64_t destination, std::uint64_t width);

  std::vector<Piece>& pieces_;
  const std::uint32_t device_;
  Piece open_;  // of width 0: none
};

// The part of one row that lies in [begin, end).
template <typename Emit>
void clip_row(const Piece& piece, std::uint64_t row, std::uint64_t begin, std::uint64_t end,
              Emit&& emit) {
  const std::uint64_t row_begin = piece.source + row * piece.source_pitch;
  const std::uint64_t from = std::max(begin, row_begin);
  const std::uint64_t to = std::min(end, row_begin + piece.width);
  if (from >= to) return;
  Piece part;
  part.source = from;
  part.destination = piece.destination + row * piece.destination_pitch + (from - row_begin);
  part.width = to - from;
  part.device = piece.device;
  emit(part);
}

// The parts of a piece whose source lies in [begin, end), as at most three pieces.
// Calls emit(const Piece&) for each.
template <typename Emit>
void clip(const Piece& piece, std::uint64_t begin, std::uint64_t end, Emit&& emit) {
  if (begin <= piece.source && piece.source_end() <= end) return emit(piece);
  if (piece.rows == 1) return clip_row(piece, 0, begin, end, emit);
  if (end <= piece.source || piece.source_end() <= begin) return;

  // Rows [first, last) are those that the range touches; of these only the outer two can be cut.
  const std::uint64_t pitch = piece.source_pitch;
  const std::uint64_t first = begin <= piece.source ? 0 : (begin - piece.source) / pitch;
  const std::uint64_t last = std::min(piece.rows, (end - piece.source - 1) / pitch + 1);
  const auto whole = [&](std::uint64_t row) {
    const std::uint64_t at = piece.source + row * pitch;
    return begin <= at && at + piece.width <= end;
  };
  const std::uint64_t full_begin = whole(first) ? first : first + 1;
  const std::uint64_t full_end = last > full_begin && !whole(last - 1) ? last - 1 : last;
  if (full_begin > first) clip_row(piece, first, begin, end, emit);
  if (full_begin < full_end) {
    Piece part = piece;
    part.source += full_begin * pitch;
    part.destination += full_begin * piece.destination_pitch;
    part.rows = full_end - full_begin;
    if (part.rows == 1) part.source_pitch = part.destination_pitch = 0;
    emit(part);
  }
  if (full_end < last) clip_row(piece, last - 1, begin, end, emit);
}

}  // namespace ingot::loader
