// The making of error messages: file, what, where, expected, found. One shape for all rooms.
//
//   return make_error(Code::kCorrupt, "index digest differs").file(path).at(Region::kIndex, begin,
//   end)
//       .expected(to_string(a)).found(to_string(b));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ingot/status.h"

namespace ingot {

class ErrorBuilder {
 public:
  ErrorBuilder(Code code, std::string_view what) : code_(code), what_(what) {}

  ErrorBuilder& file(std::string_view path) { return path_ = path, *this; }
  ErrorBuilder& at(Region region) { return location_.region = region, *this; }
  ErrorBuilder& at(Region region, std::uint64_t begin, std::uint64_t end);
  ErrorBuilder& tensor(std::string_view name) { return location_.tensor = name, *this; }
  ErrorBuilder& chunk(std::uint64_t number, std::uint64_t count);
  ErrorBuilder& expected(std::string_view text) { return expected_ = text, *this; }
  ErrorBuilder& expected(std::uint64_t number) { return expected(std::to_string(number)); }
  ErrorBuilder& found(std::string_view text) { return found_ = text, *this; }
  ErrorBuilder& found(std::uint64_t number) { return found(std::to_string(number)); }
  ErrorBuilder& os_error(int number) { return os_error_ = number, *this; }
  ErrorBuilder& advice(std::string_view text) { return advice_ = text, *this; }

  Status status() const;
  operator Status() const { return status(); }  // NOLINT(google-explicit-constructor)
  template <typename T>
  operator Result<T>() const {  // NOLINT(google-explicit-constructor)
    return Result<T>(status());
  }

 private:
  Code code_;
  std::string what_;
  std::string path_;
  Location location_;
  std::uint64_t chunk_count_ = 0;
  std::string expected_;
  std::string found_;
  std::string advice_;
  int os_error_ = 0;
};

inline ErrorBuilder make_error(Code code, std::string_view what) { return {code, what}; }

// "No such file or directory", thread-safe.
std::string os_error_text(int number);

// Hexadecimal, with 0x, no leading zeros.
std::string hex(std::uint64_t value);

// "4.0 KiB", "1.5 GiB": for messages.
std::string human_bytes(std::uint64_t bytes);

}  // namespace ingot
