// An opt-in guard for programs that read raw views of files which others might truncate.
//
// Touching a mapped page past the end of a truncated file raises SIGBUS. While a BusGuard lives,
// such a fault inside a mapping made by Ingot is answered with a page of zeros instead, and
// counted; a program that has read views checks faults() before it trusts what it read. Faults
// anywhere else go to the handler that was there before.
//
// It covers 1,024 mappings that live at one time, in the whole process, first come, first served:
// each open checkpoint is one, each mutable_view() and mutable_data() another. A fault in one that
// came later goes to the former handler. Whoever wants very many writable views takes one
// mutable_data().
#pragma once

#include <cstdint>

#include "ingot/status.h"

namespace ingot {

// Installs a process-wide SIGBUS handler for its lifetime: make one in main(), before threads, and
// keep it. At most one at a time (kAlreadyExists). Thread-safe once made.
class BusGuard {
 public:
  // kAlreadyExists: one lives. kIoError: the operating system refused the handler. Does not block.
  static Result<BusGuard> install();
  BusGuard(BusGuard&& other) noexcept;
  BusGuard& operator=(BusGuard&&) = delete;
  BusGuard(const BusGuard&) = delete;
  BusGuard& operator=(const BusGuard&) = delete;
  ~BusGuard();

  // Whether one lives. verify() then hashes mapped pages unless told otherwise.
  static bool installed() noexcept;
  // Pages that were replaced by zeros since the guard was installed.
  static std::uint64_t faults() noexcept;

 private:
  BusGuard() = default;
  bool active_ = true;
};

}  // namespace ingot
