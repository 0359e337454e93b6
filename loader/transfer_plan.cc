#include "loader/transfer_plan.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"

namespace ingot::loader {
namespace {

// Rows so far apart that what lies between them is not worth reading become pieces of their own.
// There are at most as many as the file has such distances.
std::vector<Piece> split_sparse_rows(std::vector<Piece> pieces, std::uint64_t max_pitch) {
  const auto is_sparse = [&](const Piece& piece) {
    return piece.rows > 1 && piece.source_pitch > max_pitch;
  };
  if (std::none_of(pieces.begin(), pieces.end(), is_sparse)) return pieces;
  std::vector<Piece> split;
  for (const Piece& piece : pieces) {
    if (!is_sparse(piece)) {
      split.push_back(piece);
      continue;
    }
    for (std::uint64_t row = 0; row < piece.rows; ++row) {
      Piece part = piece;
      part.source += row * piece.source_pitch;
      part.destination += row * piece.destination_pitch;
      part.rows = 1;
      part.source_pitch = part.destination_pitch = 0;
      split.push_back(part);
    }
  }
  return split;
}

// Finds chunk borders. Questions mostly come in the order of the file: the storage of the last
// answer, and the one behind it, are tried before the index is searched.
class Borders {
 public:
  explicit Borders(const Checkpoint::State& state) : state_(state) {}

  // The last border at or before `offset`, which lies in a storage; and the first at or after it.
  std::uint64_t before(std::uint64_t offset) {
    seek(offset);
    return here_.offset + align_down(offset - here_.offset, state_.info.chunk_bytes);
  }
  std::uint64_t after(std::uint64_t offset) {
    seek(offset - 1);
    if (offset > here_.offset + here_.bytes) return offset;  // behind the storage: padding
    const std::uint64_t inside = align_up(offset - here_.offset, state_.info.chunk_bytes);
    return here_.offset + std::min(inside, here_.bytes);
  }
  // The last place at or before `offset` where a range may end without cutting a chunk.
  std::uint64_t cut(std::uint64_t offset) { return in_padding(offset) ? offset : before(offset); }
  // `offset`, or the begin of the next storage when it lies in padding.
  std::uint64_t skip_padding(std::uint64_t offset) {
    return in_padding(offset) ? next_begin_ : offset;
  }
  // Whether only zeros lie in [begin, end).
  bool only_padding(std::uint64_t begin, std::uint64_t end) {
    seek(end - 1);
    return here_.offset + here_.bytes <= begin;
  }

 private:
  bool in_padding(std::uint64_t offset) {
    seek(offset);
    return offset >= here_.offset + here_.bytes;
  }
  // To the storage that holds the byte, or the last one before it.
  void seek(std::uint64_t offset) {
    if (offset >= next_begin_) load(number_ + 1);
    if (offset < here_.offset || offset >= next_begin_) {
      load(state_.index.storage_at(offset).value_or(0));
    }
  }
  void load(std::uint32_t number) {
    if (number >= state_.index.storage_count()) return;
    number_ = number;
    here_ = state_.storage(number);
    next_begin_ = number + 1 < state_.index.storage_count() ? state_.storage(number + 1).offset
                                                            : ~std::uint64_t{0};
  }

  const Checkpoint::State& state_;
  std::uint32_t number_ = 0;
  StorageInfo here_;
  std::uint64_t next_begin_ = 0;
};

// What has to be read, in file order and disjoint.
class Ranges {
 public:
  Ranges(const Checkpoint::State& state, const TransferOptions& options)
      : borders_(state), whole_chunks_(options.whole_chunks), max_gap_(options.max_gap) {}

  // REQUIRES: pieces come in the order of their sources.
  void add(const Piece& piece) {
    Stretch range{piece.source, piece.source_end()};
    if (whole_chunks_) {
      range.begin = borders_.before(range.begin);
      range.end = borders_.after(range.end);
    }
    if (ranges_.empty()) return ranges_.push_back(range);
    Stretch& last = ranges_.back();
    if (range.begin <= last.end || (whole_chunks_ && range.begin - last.end <= max_gap_ &&
                                    borders_.only_padding(last.end, range.begin))) {
      last.end = std::max(last.end, range.end);
    } else {
      ranges_.push_back(range);
    }
  }
  std::vector<Stretch> take() { return std::move(ranges_); }

 private:
  Borders borders_;
  const bool whole_chunks_;
  const std::uint64_t max_gap_;
  std::vector<Stretch> ranges_;
};

// Groups ranges, and cuts those that are too long.
class Cutter {
 public:
  Cutter(const Checkpoint::State& state, const TransferOptions& options)
      : borders_(state), options_(options) {}

  void add(Stretch range) {
    while (range.begin < range.end) {
      if (!fits(range)) open();
      const std::uint64_t room = transfers_.back().begin + options_.max_bytes;
      Stretch part = range;
      if (transfers_.back().begin == kNone) {
        part.end = end_within(range, range.begin + options_.max_bytes);
      } else if (range.end > room) {
        part.end = end_within(range, room);
      }
      if (part.end <= part.begin) {  // not a chunk fits into what is left
        open();
        continue;
      }
      append(part);
      range.begin = part.end;
    }
  }

  std::vector<Transfer> transfers() { return std::move(transfers_); }
  std::vector<Stretch> ranges() { return std::move(ranges_); }

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  bool fits(const Stretch& range) const {
    if (transfers_.empty()) return false;
    const Transfer& last = transfers_.back();
    return last.begin == kNone || (range.begin - last.end <= options_.max_gap &&
                                   range.begin < last.begin + options_.max_bytes);
  }
  std::uint64_t end_within(const Stretch& range, std::uint64_t limit) {
    if (range.end <= limit) return range.end;
    return options_.whole_chunks ? borders_.cut(limit) : limit;
  }
  void open() {
    Transfer transfer;
    transfer.begin = transfer.end = kNone;
    transfer.first_range = ranges_.size();
    transfers_.push_back(transfer);
  }
  void append(const Stretch& part) {
    Transfer& last = transfers_.back();
    if (last.begin == kNone) last.begin = part.begin;
    last.end = part.end;
    Stretch range = part;
    if (options_.whole_chunks) range.begin = borders_.skip_padding(part.begin);
    if (range.begin >= range.end) return;
    ++last.range_count;
    ranges_.push_back(range);
  }

  Borders borders_;
  const TransferOptions& options_;
  std::vector<Transfer> transfers_;
  std::vector<Stretch> ranges_;
};

bool by_source(const Piece& a, const Piece& b) {
  return std::pair(a.source, a.destination) < std::pair(b.source, b.destination);
}

// Hands every transfer its parts of the pieces.
class Assigner {
 public:
  explicit Assigner(std::vector<Piece> pieces) : source_(std::move(pieces)) {}

  void fill(Transfer* transfer) {
    transfer->first_piece = cut_.size();
    // Pieces that end before this transfer are done; pieces that reach beyond it stay.
    std::size_t kept = 0;
    for (const std::size_t i : reaching_) {
      emit(source_[i], *transfer);
      if (source_[i].source_end() > transfer->end) reaching_[kept++] = i;
    }
    reaching_.resize(kept);
    for (; next_ < source_.size() && source_[next_].source < transfer->end; ++next_) {
      emit(source_[next_], *transfer);
      if (source_[next_].source_end() > transfer->end) reaching_.push_back(next_);
    }
    transfer->piece_count = cut_.size() - transfer->first_piece;
    // Rows that were cut come out of order.
    const auto first = cut_.begin() + static_cast<std::ptrdiff_t>(transfer->first_piece);
    if (!std::is_sorted(first, cut_.end(), by_source)) std::sort(first, cut_.end(), by_source);
  }
  std::vector<Piece> take() { return std::move(cut_); }

 private:
  void emit(const Piece& piece, const Transfer& transfer) {
    clip(piece, transfer.begin, transfer.end, [&](const Piece& part) {
      if (!continues(part, transfer)) cut_.push_back(part);
    });
  }
  // Tensors that lie side by side on both sides are copied at once.
  bool continues(const Piece& part, const Transfer& transfer) {
    if (cut_.size() == transfer.first_piece) return false;
    Piece& last = cut_.back();
    if (last.rows != 1 || part.rows != 1 || last.device != part.device ||
        last.source_end() != part.source || last.destination + last.width != part.destination) {
      return false;
    }
    last.width += part.width;
    return true;
  }

  std::vector<Piece> source_;
  std::size_t next_ = 0;
  std::vector<std::size_t> reaching_;
  std::vector<Piece> cut_;
};

bool same_copy(const Piece& a, const Piece& b) {
  return a.source == b.source && a.destination == b.destination && a.width == b.width &&
         a.rows == b.rows && a.source_pitch == b.source_pitch &&
         a.destination_pitch == b.destination_pitch && a.device == b.device;
}

}  // namespace

TransferPlan TransferPlan::make(const Checkpoint::State& state, std::vector<Piece> pieces,
                                const TransferOptions& options) {
  // No chunk lies between two rows of a piece.
  const std::uint64_t max_pitch = options.whole_chunks ? state.info.chunk_bytes : options.max_gap;
  pieces = split_sparse_rows(std::move(pieces), max_pitch);
  std::sort(pieces.begin(), pieces.end(), by_source);
  // Tied tensors that go to one place are moved once.
  pieces.erase(std::unique(pieces.begin(), pieces.end(), same_copy), pieces.end());

  Ranges ranges(state, options);
  for (const Piece& piece : pieces) ranges.add(piece);
  Cutter cutter(state, options);
  for (const Stretch& range : ranges.take()) cutter.add(range);

  TransferPlan plan;
  plan.transfers_ = cutter.transfers();
  plan.ranges_ = cutter.ranges();
  Assigner assigner(std::move(pieces));
  for (Transfer& transfer : plan.transfers_) assigner.fill(&transfer);
  plan.pieces_ = assigner.take();
  return plan;
}

std::uint64_t TransferPlan::bytes_read() const {
  std::uint64_t bytes = 0;
  for (const Transfer& transfer : transfers_) bytes += transfer.bytes();
  return bytes;
}

}  // namespace ingot::loader
