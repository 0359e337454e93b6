#include "tools/cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/printable.h"

namespace ingot::tools {

int write_fully(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

void Output::write(std::string_view text) { write_raw(printable(text, Ascii::kKeep)); }

void Output::write_raw(std::string_view bytes) {
  buffer_.append(bytes);
  if (buffer_.size() >= kFlushBytes) drain();
}

void Output::drain() {
  if (!closed_ && status_.ok()) {
    const int error = write_fully(descriptor_, buffer_);
    if (error == EPIPE) {
      closed_ = true;
    } else if (error != 0) {
      status_ = make_error(Code::kIoError, "cannot write to standard output").os_error(error);
    }
  }
  buffer_.clear();
}

Status Output::flush() {
  drain();
  return status_;
}

void occupy_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one. Opened the wrong way round: using it is an error.
    [[maybe_unused]] const int taken = ::open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace ingot::tools
