#include "bench/support/options.h"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <thread>
#include <vector>

namespace ingot::bench {
namespace {

Options& mutable_options() {
  static Options instance;
  return instance;
}

// Google Benchmark's console, and a memory of whether anything went wrong.
class Reporter : public benchmark::ConsoleReporter {
 public:
  Reporter() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) failed_ |= run.error_occurred;
    ConsoleReporter::ReportRuns(runs);
  }
  bool failed() const { return failed_; }

 private:
  bool failed_ = false;
};

bool take_option(std::string_view argument, Options& options) {
  constexpr std::string_view kCache = "--ingot_cache=";
  constexpr std::string_view kThreads = "--ingot_threads=";
  constexpr std::string_view kGpu = "--ingot_gpu=";
  if (argument.starts_with(kCache)) {
    options.cache_folder = argument.substr(kCache.size());
  } else if (argument.starts_with(kThreads)) {
    options.threads = std::atoi(argument.substr(kThreads.size()).data());
  } else if (argument.starts_with(kGpu)) {
    options.gpu = std::atoi(argument.substr(kGpu.size()).data());
  } else if (argument == "--ingot_quick") {
    options.quick = true;
  } else {
    return false;
  }
  return true;
}

int run(int argc, char** argv, void (*register_all)()) {
  Options& parsed = mutable_options();
  std::vector<char*> rest;
  for (int i = 0; i < argc; ++i) {
    if (i == 0 || !take_option(argv[i], parsed)) rest.push_back(argv[i]);
  }
  if (parsed.threads <= 0) parsed.threads = static_cast<int>(std::thread::hardware_concurrency());
  if (parsed.cache_folder.empty()) parsed.cache_folder = "bench-cache";

  int count = static_cast<int>(rest.size());
  benchmark::Initialize(&count, rest.data());
  if (benchmark::ReportUnrecognizedArguments(count, rest.data())) return 64;
  register_all();
  Reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return reporter.failed() ? 1 : 0;
}

}  // namespace

const Options& options() { return mutable_options(); }

void set_cache_folder(const std::string& folder) { mutable_options().cache_folder = folder; }

int run_benchmarks(int argc, char** argv, void (*register_all)()) {
  try {
    return run(argc, argv, register_all);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace ingot::bench
