#include "io/os_error.h"

#include "base/error.h"

namespace ingot::io {

Code code_of_errno(int number) {
  switch (number) {
    case ENOENT:
      return Code::kNotFound;
    case EEXIST:
      return Code::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
      return Code::kResourceExhausted;
    case EOPNOTSUPP:
    case ENOSYS:
    case ENOLCK:  // only locking says so: NFSv3 without its lock daemon
      return Code::kUnsupported;
    default:
      return Code::kIoError;
  }
}

Status os_failure(std::string_view path, std::string_view what, int number) {
  return make_error(code_of_errno(number), what).file(path).os_error(number);
}

}  // namespace ingot::io
