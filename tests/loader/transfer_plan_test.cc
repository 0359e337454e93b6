// The planner: what it promises of every plan, on plans by chance.
#include "loader/transfer_plan.h"

#include <algorithm>
#include <map>
#include <random>

#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using loader::Piece;
using loader::Stretch;
using loader::Transfer;
using loader::TransferOptions;
using loader::TransferPlan;

// Where each byte of the file goes, in any order: source -> destinations.
using Bytes = std::multimap<std::uint64_t, std::pair<std::uint64_t, std::uint32_t>>;
void add_bytes(const Piece& piece, Bytes* bytes) {
  for (std::uint64_t row = 0; row < piece.rows; ++row) {
    for (std::uint64_t i = 0; i < piece.width; ++i) {
      bytes->emplace(
          piece.source + row * piece.source_pitch + i,
          std::pair(piece.destination + row * piece.destination_pitch + i, piece.device));
    }
  }
}

class TransferPlanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WritePlan plan;
    for (int i = 0; i < 40; ++i) {
      plan.add(
          {.name = "small." + std::to_string(i), .dtype = DType::kUInt8, .shape = {1 + i * 7}});
    }
    plan.add({.name = "large", .dtype = DType::kUInt8, .shape = {300, 1000}});
    plan.add({.name = "middle", .dtype = DType::kUInt8, .shape = {70'000}});
    ASSERT_OK(write_sample(path_, plan));
    checkpoint_ = std::make_unique<Checkpoint>(*Checkpoint::open(path_));
  }
  const Checkpoint::State& state() const { return checkpoint_->internal(); }
  std::uint64_t at(std::string_view name) const {
    return offset_of(*checkpoint_, *checkpoint_->find(name));
  }

  // What holds for every plan.
  void expect_sound(const TransferPlan& plan, const std::vector<Piece>& pieces,
                    const TransferOptions& options) {
    Bytes wanted;
    for (const Piece& piece : pieces) add_bytes(piece, &wanted);
    Bytes planned;
    std::uint64_t end = 0;
    for (const Transfer& transfer : plan.transfers()) {
      ASSERT_LE(end, transfer.begin) << "in file order, nothing twice";
      end = transfer.end;
      ASSERT_LE(transfer.bytes(), options.max_bytes);
      ASSERT_GT(transfer.range_count, 0U);
      std::uint64_t source = 0;
      for (const Piece& piece : plan.pieces(transfer)) {
        ASSERT_LE(transfer.begin, piece.source);
        ASSERT_LE(piece.source_end(), transfer.end);
        ASSERT_LE(source, piece.source) << "by source";
        source = piece.source;
        add_bytes(piece, &planned);
      }
      std::uint64_t position = transfer.begin;
      for (const Stretch& range : plan.ranges(transfer)) {
        ASSERT_LE(position, range.begin);
        ASSERT_LE(range.begin - position, options.max_gap) << "a gap that is not worth reading";
        ASSERT_LE(range.end, transfer.end);
        position = range.end;
        if (options.whole_chunks) expect_whole_chunks(range);
      }
    }
    std::vector<std::pair<std::uint64_t, std::pair<std::uint64_t, std::uint32_t>>> a(wanted.begin(),
                                                                                     wanted.end());
    std::vector<std::pair<std::uint64_t, std::pair<std::uint64_t, std::uint32_t>>> b(
        planned.begin(), planned.end());
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    ASSERT_EQ(a, b) << "each byte goes where it was wanted, once";
  }

  void expect_whole_chunks(const Stretch& range) {
    for (std::uint32_t i = 0; i < checkpoint_->storage_count(); ++i) {
      const StorageInfo storage = checkpoint_->storage(i);
      for (const std::uint64_t border : {range.begin, range.end}) {
        if (border <= storage.offset || border >= storage.offset + storage.bytes) continue;
        ASSERT_EQ((border - storage.offset) % state().info.chunk_bytes, 0U);
      }
    }
  }

  Scratch scratch_;
  std::string path_ = scratch_.path("f");
  std::unique_ptr<Checkpoint> checkpoint_;
};

TEST_F(TransferPlanTest, ByChance) {
  std::mt19937_64 random(5);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int round = 0; round < 300; ++round) {
    std::vector<Piece> pieces;
    std::uint64_t destination = 0;
    for (std::uint64_t i = 0, n = below(12); i < n; ++i) {
      const StorageInfo storage =
          checkpoint_->storage(static_cast<std::uint32_t>(below(checkpoint_->storage_count())));
      Piece piece;
      piece.device = static_cast<std::uint32_t>(below(2));
      piece.source = storage.offset + below(storage.bytes);
      const std::uint64_t room = storage.offset + storage.bytes - piece.source;
      piece.width = 1 + below(std::min<std::uint64_t>(room, 3000));
      if (below(2) == 0) {
        piece.source_pitch = piece.width + below(room);
        piece.rows = 1 + below((room - piece.width) / piece.source_pitch + 1);
        piece.destination_pitch = piece.width + below(10);
      }
      if (piece.rows == 1) piece.source_pitch = piece.destination_pitch = 0;
      piece.destination = destination;
      destination += piece.rows * (piece.width + 10) + below(2) * 100;
      pieces.push_back(piece);
    }
    TransferOptions options;
    options.whole_chunks = below(2) == 0;
    options.max_bytes = (options.whole_chunks ? 65536 : 1000) + below(200'000);
    options.max_gap = below(2) * below(100'000);
    expect_sound(TransferPlan::make(state(), pieces, options), pieces, options);
    if (HasFatalFailure()) return;
  }
}

TEST_F(TransferPlanTest, NeighboursBecomeOne) {
  std::vector<Piece> pieces;
  for (int i = 0; i < 40; ++i) {
    const TensorInfo tensor = *checkpoint_->find("small." + std::to_string(i));
    Piece piece;
    piece.source = offset_of(*checkpoint_, tensor);
    piece.destination = static_cast<std::uint64_t>(i) * 1000;
    piece.width = tensor.bytes;
    pieces.push_back(piece);
  }
  std::shuffle(pieces.begin(), pieces.end(), std::mt19937(1));
  const TransferOptions options{.max_bytes = 1 << 20};
  const TransferPlan plan = TransferPlan::make(state(), pieces, options);
  EXPECT_EQ(plan.transfers().size(), 1U);
  EXPECT_EQ(plan.ranges(plan.transfers()[0]).size(), 1U) << "only padding lies between";
  EXPECT_EQ(plan.pieces().size(), 40U);

  for (Piece& piece : pieces) piece.destination = piece.source;  // laid out like the file
  const TransferPlan same = TransferPlan::make(state(), pieces, options);
  EXPECT_LE(same.pieces().size(), 40U);
  expect_sound(same, pieces, options);
}

// Columns that are far apart: what lies between is not read, unless its chunk must be hashed.
TEST_F(TransferPlanTest, SparseRowsAreReadAlone) {
  Piece column;
  column.source = at("large");
  column.width = 10;
  column.rows = 2;
  column.source_pitch = 150'000;
  column.destination_pitch = 10;
  const TransferOptions plain{.max_bytes = 1 << 20, .whole_chunks = false, .max_gap = 4096};
  EXPECT_EQ(TransferPlan::make(state(), {column}, plain).bytes_read(), 20U);
  const TransferOptions verified{.max_bytes = 1 << 20, .whole_chunks = true, .max_gap = 4096};
  EXPECT_EQ(TransferPlan::make(state(), {column}, verified).bytes_read(), 2 * 65536U);
}

// Chunks between two columns hold nothing that was asked for: they are neither read nor judged.
TEST_F(TransferPlanTest, ChunksBetweenRowsAreLeftOut) {
  Piece column;
  column.source = at("large");
  column.width = 16;
  column.rows = 3;
  column.source_pitch = 2 * 65536;
  column.destination_pitch = 16;
  const TransferOptions options{.max_bytes = 65536, .whole_chunks = true};
  EXPECT_EQ(TransferPlan::make(state(), {column}, options).bytes_read(), 2 * 65536 + 37'856U);
}

// Storages on 2 MiB: the zeros between them are not worth reading.
TEST_F(TransferPlanTest, LongPaddingIsLeftOut) {
  WritePlan plan;
  for (int i = 0; i < 4; ++i) {
    plan.add({.name = std::to_string(i), .dtype = DType::kUInt8, .shape = {65536}});
  }
  WriterOptions coarse = quick_options();
  coarse.alignment = 2 << 20;
  const std::string path = scratch_.path("coarse");
  ASSERT_OK(write_sample(path, plan, coarse));
  const Checkpoint checkpoint = *Checkpoint::open(path);
  std::vector<Piece> pieces;
  for (int i = 0; i < 4; ++i) {
    Piece piece;
    piece.source = offset_of(checkpoint, *checkpoint.find(std::to_string(i)));
    piece.destination = static_cast<std::uint64_t>(i) * 65536;
    piece.width = 65536;
    pieces.push_back(piece);
  }
  const TransferPlan made =
      TransferPlan::make(checkpoint.internal(), pieces, {.max_bytes = 16 << 20});
  EXPECT_EQ(made.bytes_read(), 4 * 65536U);
}

TEST_F(TransferPlanTest, NothingMakesNoTransfer) {
  EXPECT_TRUE(TransferPlan::make(state(), {}, {.max_bytes = 65536}).transfers().empty());
}

}  // namespace
}  // namespace ingot::testing
