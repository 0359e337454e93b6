// What the workers of one load share.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "ingot/stream.h"

#include "loader/cancel_watch.h"
#include "loader/stream_setup.h"
#include "loader/verify_errors.h"

namespace ingot::loader {

// Thread-safe.
class StreamJob {
 public:
  StreamJob(const Checkpoint::State& state_in, const StreamSetup& setup_in,
            const StreamOptions& options_in)
      : state(state_in),
        setup(setup_in),
        options(options_in),
        errors(state_in, kFirstOnly),
        cancel_(options_in.cancel) {}

  // The next transfer that nobody has taken; null when there is none, or none that matters.
  const Transfer* take();
  // Whether a transfer should still be worked at: not when an error lies before it in the file.
  bool wants(const Transfer& transfer) const { return !stopped() && errors.wants(transfer.begin); }
  bool stopped() const { return failed_.load(std::memory_order_relaxed) || cancelled(); }
  bool cancelled() const { return cancel_.cancelled(); }

  // An error of a range of the file. Of several the first in file order is told.
  void fail_read(const Stretch& range, const Status& cause);
  void fail_copy(std::uint64_t begin, std::uint64_t end, const Status& cause);
  void fail_digest(std::uint64_t begin, std::uint64_t end, const Status& cause);
  // One that concerns no range (a queue, memory): ends the load at once. It is told with the range
  // of all that was to be loaded, and the first tensor of it.
  void fail(const Status& cause);
  // A worker that did not get what it needs. No error as long as there is another one.
  void refuse(const Status& cause);
  void finished(const Transfer& transfer);
  void add(const StreamReport& part);

  // Once, when all workers are done, of which there were so many: the report, or the one error.
  Result<StreamReport> result(int threads);

  const Checkpoint::State& state;
  const StreamSetup& setup;
  const StreamOptions& options;
  VerifyErrors errors;

 private:
  void fail_range(std::uint64_t begin, std::uint64_t end, Code code, std::string_view what,
                  const Status& cause);

  Status of_the_whole(const Status& cause) const;

  static inline const VerifyOptions kFirstOnly{};

  const CancelWatch cancel_;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;  // guards what follows, and calls to the progress callback
  Status failure_;
  Status refusal_;
  StreamReport report_;
  std::uint64_t done_bytes_ = 0;
};

}  // namespace ingot::loader
