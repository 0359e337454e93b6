#include "tools/safetensors/open_file.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "io/posix_file.h"
#include "io/transfer.h"

namespace ingot::safetensors {
namespace {

Status os_failure(std::string_view what, const std::string& path, int number) {
  return make_error(number == ENOENT || number == ENOTDIR ? Code::kNotFound : Code::kIoError, what)
      .file(path)
      .os_error(number);
}

}  // namespace

Result<OpenedFile> open_regular(io::FileSystem& file_system, const std::string& path,
                                Symlinks symlinks) {
  // Looked at before it is opened, because opening a FIFO waits; and compared with what was opened,
  // because names can change in between.
  struct ::stat named {};
  const int failed =
      symlinks == Symlinks::kRefuse ? ::lstat(path.c_str(), &named) : ::stat(path.c_str(), &named);
  if (failed != 0) return os_failure("cannot open", path, errno);
  if (S_ISLNK(named.st_mode)) {
    return make_error(Code::kRejected, "a shard is a symbolic link")
        .file(path)
        .at(Region::kFile)
        .advice("--follow-symlinks allows it");
  }
  if (!S_ISREG(named.st_mode)) {
    return make_error(Code::kInvalidArgument, "not a regular file")
        .file(path)
        .found(io::kind_name(io::to_file_stat(named).kind));
  }
  OpenedFile opened;
  opened.path = path;
  INGOT_ASSIGN_OR_RETURN(opened.file, file_system.open(path, io::Access::kRead));
  INGOT_ASSIGN_OR_RETURN(opened.stat, opened.file->stat());
  if (!opened.stat.regular() || opened.stat.inode != named.st_ino) {
    return make_error(Code::kIoError, "replaced while it was being opened")
        .file(path)
        .at(Region::kFile);
  }
  return opened;
}

Status check_unchanged(const OpenedFile& opened) {
  INGOT_ASSIGN_OR_RETURN(const io::FileStat now, opened.file->stat());
  if (now.bytes != opened.stat.bytes || now.modified_ns != opened.stat.modified_ns) {
    return make_error(Code::kIoError, "changed while it was being read")
        .file(opened.path)
        .at(Region::kFile);
  }
  return {};
}

Result<Header> read_header(const OpenedFile& opened) {
  std::array<std::byte, kLengthBytes> first{};
  const std::uint64_t file_bytes = opened.stat.bytes;
  if (file_bytes >= kLengthBytes) {
    INGOT_RETURN_IF_ERROR(io::read_exact(*opened.file, 0, first));
  }
  INGOT_ASSIGN_OR_RETURN(const std::uint64_t length,
                         parse_header_length(first, file_bytes, opened.path));
  // Not larger than the file, nor than the limit.
  std::vector<std::byte> text(static_cast<std::size_t>(length));
  INGOT_RETURN_IF_ERROR(io::read_exact(*opened.file, kLengthBytes, text));
  return parse_header_text(text, file_bytes, opened.path);
}

}  // namespace ingot::safetensors
