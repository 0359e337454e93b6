// Repair of a damaged header from its second copy, or of the second copy from the header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ingot/checkpoint.h"
#include "ingot/status.h"

namespace ingot {

enum class HeaderCopy : std::uint8_t { kNone, kFirst, kSecond };

struct RepairReport {
  HeaderCopy repaired = HeaderCopy::kNone;  // which page was rewritten
  std::string what;                         // one line for people
};

struct RepairOptions {
  bool dry_run = false;  // diagnose only
  io::FileSystem* file_system = nullptr;
};

// Rewrites the damaged header page in place with the bytes of the intact one, syncs, and opens the
// result to prove it. OK with HeaderCopy::kNone when both are intact and equal. kCorrupt when
// neither is, or when the file's length contradicts the intact one (then kTruncated). Nothing else
// in the file is touched. The only operation of Ingot that writes to a published file.
Result<RepairReport> repair_header(std::string_view path, const RepairOptions& options = {});

}  // namespace ingot
