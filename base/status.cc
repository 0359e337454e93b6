#include "ingot/status.h"

namespace ingot {

struct Status::Rep {
  Code code;
  std::string message;
  Location location;
  int os_error;
};

Status::Status(Code code, std::string message) : Status(code, std::move(message), Location{}, 0) {}

Status::Status(Code code, std::string message, Location location, int os_error) {
  if (code == Code::kOk) return;
  rep_ = std::make_shared<const Rep>(Rep{code, std::move(message), std::move(location), os_error});
}

Code Status::code() const noexcept { return rep_ ? rep_->code : Code::kOk; }
std::string_view Status::message() const noexcept {
  return rep_ ? std::string_view(rep_->message) : std::string_view();
}
const Location& Status::location() const noexcept {
  static const Location nowhere;
  return rep_ ? rep_->location : nowhere;
}
int Status::os_error() const noexcept { return rep_ ? rep_->os_error : 0; }

std::string Status::to_string() const {
  std::string text(code_name(code()));
  if (rep_) text.append(": ").append(rep_->message);
  return text;
}

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kInvalidArgument:
      return "invalid argument";
    case Code::kNotFound:
      return "not found";
    case Code::kAlreadyExists:
      return "already exists";
    case Code::kIoError:
      return "I/O error";
    case Code::kTruncated:
      return "truncated";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kChecksumMismatch:
      return "checksum mismatch";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kRejected:
      return "rejected";
    case Code::kResourceExhausted:
      return "resource exhausted";
    case Code::kDeviceError:
      return "device error";
    case Code::kCancelled:
      return "cancelled";
    case Code::kCommitUncertain:
      return "commit uncertain";
    case Code::kInternal:
      return "internal error";
  }
  return "unknown";
}

int exit_code(Code code) {
  switch (code) {
    case Code::kOk:
      return 0;
    case Code::kCorrupt:
    case Code::kChecksumMismatch:
      return 2;
    case Code::kTruncated:
      return 3;
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kIoError:
    case Code::kResourceExhausted:
    case Code::kDeviceError:
    case Code::kCancelled:
      return 4;
    case Code::kUnsupported:
      return 5;
    case Code::kRejected:
      return 6;
    case Code::kCommitUncertain:
      return 8;
    case Code::kInvalidArgument:
      return 64;
    case Code::kInternal:
      return 70;  // EX_SOFTWARE of sysexits.h
  }
  return 70;
}

std::string_view region_name(Region region) {
  switch (region) {
    case Region::kNone:
      return "none";
    case Region::kFile:
      return "file";
    case Region::kHeader:
      return "header";
    case Region::kData:
      return "data";
    case Region::kPadding:
      return "padding";
    case Region::kDigestTable:
      return "digest table";
    case Region::kIndex:
      return "index";
    case Region::kSecondHeader:
      return "second header";
  }
  return "none";
}

}  // namespace ingot
