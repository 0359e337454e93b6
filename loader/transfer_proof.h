// Hashes the chunks of one transfer as its bytes arrive.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "loader/transfer_plan.h"
#include "loader/verify_errors.h"
#include "loader/verify_scan.h"

namespace ingot::loader {

// Knows only what was asked for: chunks that were read because they lie between are not hashed, so
// that their damage hurts nobody. One thread at a time; arguments must outlive it.
class TransferProof {
 public:
  TransferProof(const Checkpoint::State& state, VerifyErrors& errors)
      : scan_(state, {.padding = false, .sha256 = false}, errors) {}

  // `ranges` of whole chunks; empty when nothing is to be hashed.
  void begin(const Transfer& transfer, std::span<const Stretch> ranges);
  // The next bytes of the transfer.
  void feed(Bytes bytes);

  std::uint64_t chunks() const { return scan_.chunks(); }
  std::uint64_t bytes() const { return scan_.chunk_bytes(); }  // hashed, since construction

 private:
  UnitScan scan_;
  std::span<const Stretch> ranges_;  // not finished
  bool begun_ = false;               // the first of them
  std::uint64_t position_ = 0;       // of the next byte, from file start
};

}  // namespace ingot::loader
