// For code that prefers exceptions: or_throw() unwraps a Status or Result or throws ingot::Error.
// Header only, so that the library itself stays free of exceptions.
#pragma once

#include <stdexcept>
#include <utility>

#include "ingot/status.h"

namespace ingot {

class Error : public std::runtime_error {
 public:
  explicit Error(Status status)
      : std::runtime_error(status.to_string()), status_(std::move(status)) {}
  const Status& status() const noexcept { return status_; }

 private:
  Status status_;
};

inline void or_throw(const Status& status) {
  if (!status.ok()) throw Error(status);
}

template <typename T>
T or_throw(Result<T>&& result) {
  if (!result.ok()) throw Error(result.status());
  return *std::move(result);
}

}  // namespace ingot
