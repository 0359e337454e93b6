// .safetensors to .ingot.
#pragma once

#include <string>
#include <vector>

#include "ingot/status.h"
#include "ingot/writer.h"

#include "tools/convert/attach.h"
#include "tools/convert/report.h"

namespace ingot::tools {

struct ImportOptions {
  WriterOptions writer = {};  // its file system, progress and cancel flag serve the reading, too
  std::vector<AttachSpec> attachments = {};
  bool follow_symlinks = false;
  // Goes on when shards disagree about a metadata key, with the first shard's value.
  bool drop_extra = false;
};

// Whether a tensor of this name is imported as a buffer: the running statistics of PyTorch's
// normalisation layers. Everything else is a parameter; .safetensors does not say.
bool is_buffer_name(std::string_view name);

// Reads `in` (see safetensors::Source::open) and writes `out`, in parts of a few MiB: memory is
// bounded by the writer's staging and the headers, not by the tensors. Registration order is the
// order of shards and of data. Nothing appears under `out` unless all went well; kIoError when the
// input changed meanwhile.
Result<ConvertReport> import_safetensors(const std::string& in, const std::string& out,
                                         const ImportOptions& options);

}  // namespace ingot::tools
