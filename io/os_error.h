// Failed system calls as Status. Shared by the real file system and its doubles, so that a code
// means the same in both.
#pragma once

#include <cerrno>
#include <string_view>

#include "ingot/status.h"

namespace ingot::io {

// kNotFound, kAlreadyExists, kResourceExhausted, kUnsupported where errno says so, else kIoError.
Code code_of_errno(int number);

// "PATH: WHAT: No space left on device".
Status os_failure(std::string_view path, std::string_view what, int number);

// Calls again while a signal interrupts. For calls that return -1 and set errno.
template <typename Call>
auto retry_interrupted(Call&& call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

}  // namespace ingot::io
