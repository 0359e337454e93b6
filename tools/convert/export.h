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
  bool replace = false;  // existing files; else kAlreadyExists
  bool durable = true;   // fsync of every file and folder
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
// when all of them are complete, the shard index last; after an error none is left. kUnsupported
// names what .safetensors cannot hold. Memory is bounded (see PackedReader).
Result<ConvertReport> export_safetensors(const Checkpoint& checkpoint, const std::string& out,
                                         const ExportOptions& options);

}  // namespace ingot::tools
