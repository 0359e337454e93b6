// O_DIRECT: opening a second description of an open file, and what alignment it asks for.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "io/os_error.h"
#include "io/posix_file.h"

namespace ingot::io {
namespace {

Status no_direct(const std::string& path, std::string_view why, int number = 0) {
  return make_error(Code::kUnsupported, std::string("no O_DIRECT: ").append(why))
      .file(path)
      .os_error(number);
}

// Fills `alignment` where the kernel knows it (Linux 6.1); false when it says that direct I/O does
// not work on this file.
bool ask_alignment([[maybe_unused]] int descriptor, [[maybe_unused]] DirectAlignment* alignment) {
#ifdef STATX_DIOALIGN
  struct statx answer {};
  if (::statx(descriptor, "", AT_EMPTY_PATH, STATX_DIOALIGN, &answer) != 0) return true;
  if ((answer.stx_mask & STATX_DIOALIGN) == 0) return true;
  if (answer.stx_dio_offset_align == 0) return false;
  alignment->memory = answer.stx_dio_mem_align;
  alignment->offset = answer.stx_dio_offset_align;
#endif
  return true;
}

}  // namespace

Result<std::unique_ptr<File>> open_direct(int descriptor, const std::string& path) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0) return os_failure(path, "cannot reopen", errno);
  // Through /proc: the very inode, whatever its name now is, and unnamed files too.
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  OwnedDescriptor direct(retry_interrupted(
      [&] { return ::open(link.c_str(), (flags & O_ACCMODE) | O_DIRECT | O_CLOEXEC); }));
  if (direct.get() < 0) {
    if (errno == EINVAL) return no_direct(path, "the file system does not have it", EINVAL);
    if (errno == ENOENT) return no_direct(path, "/proc is not mounted", ENOENT);
    if (errno == EACCES) return no_direct(path, "the file may not be opened again", EACCES);
    return os_failure(path, "cannot reopen with O_DIRECT", errno);
  }
  DirectAlignment alignment;
  const bool works = ask_alignment(direct.get(), &alignment);
  std::unique_ptr<File> file = adopt_descriptor(std::move(direct), path, alignment);
  if (!works) return no_direct(path, "the file system does not have it for this file");
  return file;
}

}  // namespace ingot::io
