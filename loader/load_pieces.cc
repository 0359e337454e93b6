#include "loader/load_pieces.h"

#include <cstddef>

#include "base/error.h"

namespace ingot::loader {
namespace {

// A bound of the memory that plans of hostile or unlucky slices take: 1 GiB of pieces.
constexpr std::size_t kMaxPieces = std::size_t{1} << 24;

}  // namespace

bool PieceCollector::continues(std::uint64_t source, std::uint64_t destination,
                               std::uint64_t width) {
  if (open_.rows != 1 || open_.source + open_.width != source ||
      open_.destination + open_.width != destination) {
    return false;
  }
  open_.width += width;
  return true;
}

// Rows that overlap or run backwards are pieces of their own: no device copies them in one go.
bool PieceCollector::is_next_row(std::uint64_t source, std::uint64_t destination,
                                 std::uint64_t width) {
  if (width != open_.width) return false;
  if (open_.rows == 1) {
    if (source < open_.source + width || destination < open_.destination + width) return false;
    open_.source_pitch = source - open_.source;
    open_.destination_pitch = destination - open_.destination;
  } else if (source != open_.source + open_.rows * open_.source_pitch ||
             destination != open_.destination + open_.rows * open_.destination_pitch) {
    return false;
  }
  ++open_.rows;
  return true;
}

Status PieceCollector::add(std::uint64_t source, std::uint64_t destination, std::uint64_t width) {
  if (width == 0) return {};
  if (open_.width != 0 &&
      (continues(source, destination, width) || is_next_row(source, destination, width))) {
    return {};
  }
  finish();
  if (pieces_.size() >= kMaxPieces) {
    return make_error(Code::kResourceExhausted, "the plan has too many runs of bytes")
        .expected("at most " + std::to_string(kMaxPieces));
  }
  open_ = {};
  open_.source = source;
  open_.destination = destination;
  open_.width = width;
  open_.device = device_;
  return {};
}

void PieceCollector::finish() {
  if (open_.width != 0) pieces_.push_back(open_);
  open_ = {};
}

}  // namespace ingot::loader
