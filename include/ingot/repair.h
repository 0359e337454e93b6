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
  // Internal: Ingot's own tests put a double here, and its class is in no installed header. Null is
  // the operating system. Must outlive the call.
  io::FileSystem* file_system = nullptr;
};

// Rewrites the damaged header page in place with the bytes of the intact one, syncs, and opens the
// result to prove it. OK with HeaderCopy::kNone when both are intact and equal. Nothing else in the
// file is touched. The only operation of Ingot that writes to a published file: do not let two
// threads or processes repair one file at once; others may have it open. Blocks while it reads
// index and digest table (1 MiB at a time) and until the page is on the medium. Errors:
//   kCorrupt      neither page is intact; or index or digest table are not those of the intact one;
//                 or both are intact, fit and differ; or the file is still damaged elsewhere when
//                 it is opened afterwards (the page is repaired then)
//   kTruncated    the file's length contradicts the intact page
//   kUnsupported, kRejected   a page is intact, but of a newer version or hostile
//   kNotFound     there is no such file
//   kInvalidArgument   it is no regular file, or its path has a NUL byte
//   kResourceExhausted no memory for index or digest table
//   kIoError      reading, writing or the sync failed, or the file was replaced meanwhile; after a
//                 failed write the other page is still intact
Result<RepairReport> repair_header(std::string_view path, const RepairOptions& options = {});

}  // namespace ingot
