// .ingot to .safetensors.
#pragma once

#include <cstdint>
#include <string>

#include "ingot/checkpoint.h"
#include "ingot/progress.h"
#include "ingot/status.h"

#include "io/file_system.h"
#include "tools/convert/report.h"

namespace ingot::tools {

struct ExportOptions {
  // Existing files; else kAlreadyExists. Of an older export into the same folder also what would
  // stay in force or in the way: see export_safetensors().
  bool replace = false;
  bool durable = true;  // fsync of every file and folder
  // 0: `out` is one file. Else `out` is a folder for model-0000k-of-0000n.safetensors of at most so
  // many bytes of tensors each (a larger tensor gets its own), and model.safetensors.index.json.
  std::uint64_t shard_bytes = 0;
  // Tensors that share a storage are refused, because .safetensors cannot share: this writes each.
  bool duplicate_tied = false;
  // Attachments, optimizer state and other state are refused: this leaves them out.
  bool drop_extra = false;
  // Files of at least so many bytes are written with O_DIRECT, where there is one.
  std::uint64_t direct_from_bytes = std::uint64_t{16} << 20;
  ProgressCallback progress = {};
  const CancelFlag* cancel = nullptr;
  io::FileSystem* file_system = nullptr;  // of the output; null is the operating system
};

// Every byte is checked against its digest before it is written. Files appear under their names
// when all of them are complete, the shard index last; after an error none is left, nor after
// kCommitUncertain is one missing. kUnsupported names what .safetensors cannot hold. Memory is
// bounded (see PackedReader).
//
// A folder holds one model: model.safetensors, or model.safetensors.index.json and its shards. The
// one where the other is to be written is kAlreadyExists. With `replace`, a single file is replaced
// atomically; shards are not, but one by one, and while they are no index stands, so that a kill
// (when durable, a power cut) leaves the older model, the new one, or no index to load one by.
// An older index goes before the first file gets its name, an older model.safetensors when only the
// new index is missing, and at last the shards that the older index named, if they are called
// model-NNNNN-of-NNNNN.safetensors and are not among the new ones. Other files stay.
Result<ConvertReport> export_safetensors(const Checkpoint& checkpoint, const std::string& out,
                                         const ExportOptions& options);

}  // namespace ingot::tools
