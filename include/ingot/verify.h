// Verification: prove that the stored bytes are those that were written, or say which are not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/progress.h"
#include "ingot/status.h"

namespace ingot {

enum class VerifyLevel : std::uint8_t {
  kIndex,  // header, index, digest table, second header: what open() proves
  kFull,   // and every chunk of data, every padding byte, canonical form of the index
};

// How the bytes are read.
enum class ReadPath : std::uint8_t {
  kAuto,     // kMapping while a BusGuard lives, else kRead: leaves the pages in memory for views
  kFastest,  // for a proof alone: kDirect where less than 90 % of 1 MiB and more is in memory and
             // O_DIRECT is to be had; else as kAuto
  kRead,     // read(2) into private buffers: truncation meanwhile is an error
  kMapping,  // hash the mapped pages in place: fastest warm, and trusts that nobody truncates the
             // file (populated first, so most truncations are errors; bus_guard.h covers the rest).
             // kRead where the file could not be mapped: VerifyReport::path and reason say so
  kDirect,   // O_DIRECT, past the page cache: proves the medium itself
};
std::string_view read_path_name(ReadPath path);

struct VerifyOptions {
  VerifyLevel level = VerifyLevel::kFull;
  ReadPath path = ReadPath::kAuto;
  int threads = 0;                  // 0: as many as the process may run on
  bool keep_going = false;          // collect every error instead of stopping at the first
  std::uint64_t max_errors = 1000;  // kept in the report when going on; the rest are counted
  // Only these tensors or attachments, by name; empty means all. Padding is then not checked.
  std::vector<std::string> tensors = {};
  ProgressCallback progress = {};
  const CancelFlag* cancel = nullptr;
};

struct VerifyReport {
  std::uint64_t bytes = 0;  // read and hashed
  std::uint64_t chunks = 0;
  double seconds = 0;
  int threads = 0;
  ReadPath path = ReadPath::kRead;  // what was taken
  std::string reason;               // and why
  std::uint64_t error_count = 0;
  std::vector<Status> errors;  // in file order

  bool intact() const { return error_count == 0; }
};

// Hashes what `options` names. Damage is in the report, not in the Status, which is for what kept
// the verification from being made: kNotFound (a tensor), kInvalidArgument (a negative number of
// threads), kCancelled, kUnsupported (no O_DIRECT; a file that has SHA-256 where libcrypto does not
// have it), kResourceExhausted (no memory to read into), kIoError (the file cannot be looked at, or
// a queue of reads fails). Blocks; uses its own threads, at most 1,024, which end before it
// returns.
Result<VerifyReport> verify(const Checkpoint& checkpoint, const VerifyOptions& options = {});

}  // namespace ingot
