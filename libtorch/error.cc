#include "libtorch/error.h"

#include <memory>

namespace ingot::libtorch {
namespace {

constexpr c10::SourceLocation kHere = {"ingot", "libtorch", 0};

std::string explain(const LoadReport& report) {
  return "checkpoint and objects differ, nothing was changed (strict = false loads what "
         "matches)\n" +
         report.to_string();
}

}  // namespace

Error::Error(Status status) : c10::Error(kHere, status.to_string()), status_(std::move(status)) {}

MismatchError::MismatchError(LoadReport report)
    : Error(Status(Code::kInvalidArgument, explain(report))),
      report_(std::make_shared<const LoadReport>(std::move(report))) {}

}  // namespace ingot::libtorch
