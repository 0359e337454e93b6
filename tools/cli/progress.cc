#include "tools/cli/progress.h"

#include <atomic>
#include <chrono>
#include <iostream>
#include <string>

#if INGOT_HAVE_BARKEEP
#include <barkeep/barkeep.h>
#endif

namespace ingot::tools {

#if INGOT_HAVE_BARKEEP

namespace {
constexpr double kGigabyte = 1e9;
constexpr std::chrono::milliseconds kMoment{300};
}  // namespace

struct Progress::Bar {
  using Display = barkeep::ProgressBarDisplay<std::atomic<double>>;

  explicit Bar(std::string_view what) : message(what) {}

  void start(std::uint64_t total_bytes) {
    barkeep::ProgressBarConfig<double> config;
    config.out = &std::cerr;
    config.total = static_cast<double>(total_bytes) / kGigabyte;
    config.format =
        message + " {percent:5.1f} % {bar} {value:.2f}/{total:.2f} GB  {speed:.2f} GB/s ";
    config.speed = 0.1;
    display = barkeep::ProgressBar(&done, config);
  }

  std::string message;
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  std::atomic<double> done{0};
  std::shared_ptr<Display> display;
};

Progress::Progress(const Console& console, std::string_view what)
    : bar_(console.shows_progress() ? std::make_unique<Bar>(what) : nullptr) {}

Progress::~Progress() {
  if (bar_ && bar_->display) bar_->display->done();
}

void Progress::update(std::uint64_t done_bytes, std::uint64_t total_bytes) {
  if (!bar_) return;
  bar_->done = static_cast<double>(done_bytes) / kGigabyte;
  if (bar_->display || std::chrono::steady_clock::now() - bar_->begin < kMoment) return;
  if (done_bytes < total_bytes) bar_->start(total_bytes);
}

#else

struct Progress::Bar {};
Progress::Progress(const Console&, std::string_view) {}
Progress::~Progress() = default;
void Progress::update(std::uint64_t, std::uint64_t) {}

#endif

ProgressCallback Progress::callback() {
  return {[](void* context, std::uint64_t done, std::uint64_t total) {
            static_cast<Progress*>(context)->update(done, total);
          },
          this};
}

}  // namespace ingot::tools
