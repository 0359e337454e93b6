// Status to exception: the core's failures leave the adapter as c10::Error.
#pragma once

#include <string>
#include <utility>

#include "ingot/libtorch.h"
#include "ingot/status.h"

namespace ingot::libtorch {

[[noreturn]] inline void raise(Code code, std::string message) {
  throw Error(Status(code, std::move(message)));
}

inline void check(const Status& status) {
  if (!status.ok()) throw Error(status);
}

template <typename T>
T take(Result<T>&& result) {
  if (!result.ok()) throw Error(result.status());
  return *std::move(result);
}

}  // namespace ingot::libtorch
