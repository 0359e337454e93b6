// What the threads of one verification share.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "ingot/verify.h"

#include "loader/cancel_watch.h"
#include "loader/verify_errors.h"
#include "loader/verify_plan.h"

namespace ingot::loader {

// Thread-safe.
class VerifyJob {
 public:
  VerifyJob(const Checkpoint::State& state_in, const VerifyOptions& options_in,
            const VerifyPlan& plan_in)
      : state(state_in),
        options(options_in),
        plan(plan_in),
        errors(state_in, options_in),
        cancel_(options_in.cancel) {}

  // The next unit that nobody has taken; nullopt when there is none, or none that matters.
  std::optional<Stretch> take();
  // Counts what was done and tells the progress.
  void finished(std::uint64_t bytes);
  void add_chunks(std::uint64_t chunks) { chunks_.fetch_add(chunks, std::memory_order_relaxed); }

  // Whether the item at `offset` should still be looked at.
  bool wants(std::uint64_t offset) const { return !stopped() && errors.wants(offset); }
  bool stopped() const { return failed_.load(std::memory_order_relaxed) || cancelled(); }
  bool cancelled() const { return cancel_.cancelled(); }

  // What keeps the verification from being made; ends it.
  void fail(const Status& status);
  Status failure() const;

  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t chunks() const { return chunks_; }

  const Checkpoint::State& state;
  const VerifyOptions& options;
  const VerifyPlan& plan;
  VerifyErrors errors;

 private:
  const CancelWatch cancel_;
  std::atomic<std::uint64_t> next_unit_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> chunks_{0};
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;  // of failure_ and of calls to the progress callback
  Status failure_;
};

}  // namespace ingot::loader
