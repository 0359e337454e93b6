#include "io/transfer_error.h"

#include <cerrno>

#include "base/error.h"

namespace ingot::io {

Status read_past_end(File& file, const Progress& progress) {
  return make_error(Code::kTruncated, "the file ends inside of a read")
      .file(file.path())
      .at(Region::kFile, progress.offset, progress.offset + progress.bytes)
      .expected(std::to_string(progress.bytes) + " bytes")
      .found(progress.done);
}

Status write_stuck(File& file, const Progress& progress) {
  return make_error(Code::kIoError, "a write made no progress")
      .file(file.path())
      .at(Region::kFile, progress.offset + progress.done, progress.offset + progress.bytes);
}

Status read_failed(File& file, const Progress& progress, const Status& cause) {
  if (cause.os_error() == EINVAL && progress.done > 0) {
    const Result<FileStat> stat = file.stat();
    if (stat.ok() && stat->bytes <= progress.offset + progress.done) {
      return read_past_end(file, progress);
    }
  }
  return cause;
}

}  // namespace ingot::io
