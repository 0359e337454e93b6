// Standard output of the command: buffered, and honest about failure.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "ingot/status.h"

namespace ingot::tools {

// Collects text and writes it to a descriptor that it does not own. When the reader of a pipe has
// gone, the rest is dropped silently and closed() is true; any other failure is kept for flush().
// One thread.
class Output {
 public:
  explicit Output(int descriptor) : descriptor_(descriptor) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Text: what could steer a terminal is escaped (printable()), but for ASCII, which may be colours
  // and line ends. Names and paths, whose ASCII may be anything, are made printable() before.
  void write(std::string_view text);
  // Bytes, as they are.
  void write_raw(std::string_view bytes);
  template <typename... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    write(fmt::format(format, std::forward<Args>(args)...));
  }
  // Writes what is buffered. Once it failed, it keeps failing.
  Status flush();
  bool closed() const { return closed_; }

 private:
  static constexpr std::size_t kFlushBytes = 64 << 10;
  void drain();

  int descriptor_;
  std::string buffer_;
  Status status_;
  bool closed_ = false;
};

// Writes all of `text` to a descriptor; errno of the failure, or 0.
int write_fully(int descriptor, std::string_view text);

// Makes descriptors 0 to 2 exist, so that no file that is opened later gets one of them. Writing to
// one that was closed still fails.
void occupy_standard_descriptors();

}  // namespace ingot::tools
