// Errors of a verification, gathered from its threads and reported in file order.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "ingot/verify.h"

#include "base/error.h"
#include "loader/verify_items.h"

namespace ingot::loader {

// Thread-safe. Keeps at most VerifyOptions::max_errors errors, those that lie first in the file;
// names of tensors are looked up once, at the end, for all of them.
class VerifyErrors {
 public:
  VerifyErrors(const Checkpoint::State& state, const VerifyOptions& options);

  // `error` without the tensor, which is found through `storage` (Item::kNoStorage: none).
  void add(std::uint64_t begin, std::uint32_t storage, ErrorBuilder error);
  // An error that names all it has to; `begin` says where it belongs in the order.
  void add(std::uint64_t begin, const Status& error);
  // Whether what lies at `offset` still matters: false after an error before it when the
  // verification stops at the first, so that the first in file order is found by any number of
  // threads.
  bool wants(std::uint64_t offset) const {
    return keep_going_ || offset < first_.load(std::memory_order_relaxed);
  }

  bool any() const { return first_.load(std::memory_order_relaxed) != ~std::uint64_t{0}; }

  // Moves everything to the report. Once, when all threads are done.
  void finish(VerifyReport* report);

 private:
  struct Entry {
    std::uint64_t begin;
    std::uint32_t storage;
    ErrorBuilder error;
    Status whole;  // instead of `error`
    friend bool operator<(const Entry& a, const Entry& b) { return a.begin < b.begin; }
  };
  void insert(Entry entry);
  void name_tensors();

  const Checkpoint::State& state_;
  const bool keep_going_;
  const std::uint64_t capacity_;
  std::atomic<std::uint64_t> first_{~std::uint64_t{0}};
  std::mutex mutex_;
  std::uint64_t count_ = 0;
  std::vector<Entry> entries_;  // a heap, the last in file order on top
};

}  // namespace ingot::loader
