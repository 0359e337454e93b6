// Status and Result: how every function of the core reports failure.
//
// The core never throws, never prints and never aborts on bad input. A Status is one pointer, null
// when all is well; copies share it. Both types may be copied and moved between threads freely; one
// object must not be written by two threads at once. `ingot/exceptions.h` turns either into an
// exception for code that prefers them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ingot {

// Kinds of failure, kept apart where the operator's next action differs.
enum class Code : std::uint8_t {
  kOk = 0,
  kInvalidArgument,    // the caller broke a documented precondition
  kNotFound,           // no such file, tensor, attachment
  kAlreadyExists,      // the name is taken; replacing was not asked for, or it is no regular file
  kIoError,            // the operating system failed; Status::os_error() has errno
  kTruncated,          // the file's length is not what its header says
  kCorrupt,            // structure damaged: header, index, digest table, padding
  kChecksumMismatch,   // bytes of a tensor or attachment are not those that were written
  kUnsupported,        // intact, but of a newer version or with a feature this library lacks
  kRejected,           // well-formed checksums over content that breaks a rule or a limit: hostile
  kResourceExhausted,  // no space, no memory, over a quota or budget
  kDeviceError,        // an accelerator or its driver failed
  kCancelled,          // the caller asked to stop
  kCommitUncertain,    // published, but its durability could not be confirmed
  kInternal,           // a bug in Ingot
};

// "corrupt", "checksum mismatch", ...: stable, for messages and JSON.
std::string_view code_name(Code code);

// The exit code of the `ingot` command for a failure of this kind (docs/cli.md).
int exit_code(Code code);

// The part of a file that an error is about.
enum class Region : std::uint8_t {
  kNone = 0,
  kFile,     // the file as a whole (its length, its name)
  kHeader,   // first page
  kData,     // bytes of a storage
  kPadding,  // bytes that must be zero
  kDigestTable,
  kIndex,
  kSecondHeader,  // last page
};
std::string_view region_name(Region region);

// Where in a file something is wrong. `begin` and `end` are byte offsets from the file's start,
// half open; both zero when the error is about no range.
struct Location {
  static constexpr std::uint64_t kNoChunk = ~std::uint64_t{0};

  Region region = Region::kNone;
  std::string tensor;              // tensor or attachment; empty when there is none
  std::uint64_t chunk = kNoChunk;  // number of the chunk within its storage
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

class [[nodiscard]] Status {
 public:
  Status() noexcept = default;  // OK
  Status(Code code, std::string message);
  Status(Code code, std::string message, Location location, int os_error = 0);

  bool ok() const noexcept { return rep_ == nullptr; }
  Code code() const noexcept;
  // File, what, where, expected and found, in one line. Empty when OK.
  std::string_view message() const noexcept;
  // What the message says of the place, for programs. Region::kNone when unknown.
  const Location& location() const noexcept;
  // errno of the failed call, or 0.
  int os_error() const noexcept;
  // "checksum mismatch: model.ingot: ..." or "ok".
  std::string to_string() const;

 private:
  struct Rep;
  std::shared_ptr<const Rep> rep_;
};

inline Status ok_status() { return {}; }

// A T, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
  static_assert(!std::is_same_v<std::remove_cvref_t<T>, Status>);

 public:
  // NOLINTNEXTLINE(google-explicit-constructor): `return value;` and `return status;` both read
  // well.
  Result(T value) : value_(std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {
    if (status_.ok()) status_ = Status(Code::kInternal, "Result made from an OK status");
  }

  bool ok() const noexcept { return value_.has_value(); }
  const Status& status() const noexcept { return status_; }

  // REQUIRES: ok().
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace ingot

// Returns from the calling function, which returns Status or Result, when `expr` is not OK.
#define INGOT_RETURN_IF_ERROR(expr)                                                        \
  do {                                                                                     \
    if (::ingot::Status ingot_status_ = (expr); !ingot_status_.ok()) return ingot_status_; \
  } while (false)

#define INGOT_CONCAT_INNER_(a, b) a##b
#define INGOT_CONCAT_(a, b) INGOT_CONCAT_INNER_(a, b)

// INGOT_ASSIGN_OR_RETURN(auto x, f()): x is f()'s value, or the calling function returns its error.
#define INGOT_ASSIGN_OR_RETURN(declaration, expr) \
  INGOT_ASSIGN_OR_RETURN_(INGOT_CONCAT_(ingot_result_, __LINE__), declaration, expr)
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses.
#define INGOT_ASSIGN_OR_RETURN_(result, declaration, expr) \
  auto result = (expr);                                    \
  if (!result.ok()) return result.status();                \
  declaration = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)
