// What a verification reads, divided into units that threads take one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ingot/status.h"
#include "ingot/verify.h"

#include "loader/verify_items.h"

namespace ingot::loader {

// A stretch of a file from the begin of one item to the end of another.
struct Stretch {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t bytes() const { return end - begin; }
};

// Immutable once made; any thread may ask for any unit. Its memory depends on the number of names
// that were asked for, never on the size of the file.
class VerifyPlan {
 public:
  // kNotFound when the file has no tensor or attachment of a name.
  static Result<VerifyPlan> make(const Checkpoint::State& state, const VerifyOptions& options,
                                 int threads);

  std::uint64_t units() const { return units_; }
  // Units are in file order. May be empty.
  Stretch unit(std::uint64_t number) const;
  std::uint64_t total_bytes() const { return total_bytes_; }
  // From the first byte that is read to the last, with what lies between.
  Stretch whole() const {
    return ranges_.empty() ? Stretch{} : Stretch{ranges_.front().begin, ranges_.back().end};
  }
  // Whether padding between the storages of a unit is checked too.
  bool checks_padding() const { return checks_padding_; }

 private:
  explicit VerifyPlan(const Checkpoint::State& state) : state_(&state) {}
  Status add_named(std::span<const std::string> names);
  void add(const Stretch& range);
  void divide(int threads);

  const Checkpoint::State* state_;
  std::vector<Stretch> ranges_;
  std::vector<std::uint64_t> first_unit_;  // of each range
  std::uint64_t unit_bytes_ = 0;
  std::uint64_t units_ = 0;
  std::uint64_t total_bytes_ = 0;
  bool checks_padding_ = true;
};

}  // namespace ingot::loader
